"""What the ledger's commands share: reading its books, and which currency of a wallet is meant."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer

from fleet.database import Tx
from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, reading, run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, say
from services.billing.desk import reads as billing
from services.ledger.desk import reads

T = TypeVar("T")


def read(query: Callable[[Tx], Awaitable[T]]) -> T:
    """Read as hobbs_reader, without a transaction. Exits when there are no settings or no database."""
    return run(_read(settings_or_exit(Settings), query))


async def _read(settings: Settings, query: Callable[[Tx], Awaitable[T]]) -> T:
    async with reading(settings) as database, database.autocommit() as tx:
        return await query(tx)


def read_snapshot(query: Callable[[Tx], Awaitable[T]]) -> T:
    """Read as hobbs_reader; all statements of the query see the same state of the books."""
    return run(_read_snapshot(settings_or_exit(Settings), query))


async def _read_snapshot(settings: Settings, query: Callable[[Tx], Awaitable[T]]) -> T:
    async with reading(settings) as database, database.transaction() as tx:
        await reads.recompute.begin_snapshot(tx)
        return await query(tx)


def decide(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a decision, or the preview of one, in a transaction as the ledger's own role."""
    return run(_decide(settings_or_exit(Settings), work))


async def _decide(settings: Settings, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with acting_as(settings, "ledger") as database, database.transaction() as tx:
        return await work(tx)


def currency_of(wallet: str, named: str | None) -> str:
    """The currency that is named, or the wallet's only one. Exits when it has none or several."""
    held = [row.currency for row in read(lambda tx: reads.balances.list_balances(tx, wallet=wallet))]
    if not held:
        raise no_wallet(wallet)
    if named is None and len(held) > 1:
        raise typer.BadParameter(f"{wallet} holds {', '.join(held)}: choose one", param_hint="--currency")
    return named or held[0]


CurrencyOption = Annotated[
    str | None,
    typer.Option(
        help="Needed only when the wallet holds several; the school's for one that is not open yet."
    ),
]


def currency_or_new(wallet: str, named: str | None) -> str:
    """The currency that is named, or the wallet's only one; of a wallet that is not open yet the school's."""
    if named is not None:
        return named
    held = read(lambda tx: reads.balances.list_balances(tx, wallet=wallet))
    return currency_of(wallet, None) if held else read(billing.whole_book).currency()


def amount_of(text: str, currency: str) -> int:
    """An amount that a person wrote, in minor units. Exits 2 when it is none of this currency."""
    try:
        return parse_minor(text, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def instant_of(text: str, option: str) -> datetime:
    """An instant that a person wrote, with its time zone. Exits 2 when it is none."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is not an instant: {error}", param_hint=option) from None
    raise typer.BadParameter(f"{text} says no time zone; add Z or an offset", param_hint=option)


def no_wallet(wallet: str) -> typer.Exit:
    say(f"there is no wallet {wallet}; a wallet opens with its first entry")
    return typer.Exit(EXIT_FINDINGS)
