"""What the ledger's commands share: a question to its books, and which currency of a wallet is meant."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, say
from services.ledger.desk import reads

T = TypeVar("T")


def ask(query: Callable[[Tx], Awaitable[T]]) -> T:
    """Ask as the ledger's own role; no transaction. Exits when there are no settings or no database."""
    return run(_ask(settings_or_exit(Settings), query))


async def _ask(settings: Settings, query: Callable[[Tx], Awaitable[T]]) -> T:
    async with acting_as(settings, "ledger") as database, database.autocommit() as tx:
        return await query(tx)


def ask_in_one_snapshot(query: Callable[[Tx], Awaitable[T]]) -> T:
    """As `ask`, for questions of several statements whose answers are compared: nobody posts in between."""
    return run(_ask_in_one_snapshot(settings_or_exit(Settings), query))


async def _ask_in_one_snapshot(settings: Settings, query: Callable[[Tx], Awaitable[T]]) -> T:
    async with acting_as(settings, "ledger") as database, database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return await query(tx)


def currency_of(wallet: str, named: str | None) -> str:
    """The currency that is named, or the only one the wallet holds. Exits when it holds none or several."""
    held = [row.currency for row in ask(lambda tx: reads.balances.list_balances(tx, wallet=wallet))]
    if not held:
        raise no_wallet(wallet)
    if named is None and len(held) > 1:
        raise typer.BadParameter(f"{wallet} holds {', '.join(held)}: choose one", param_hint="--currency")
    return named or held[0]


def no_wallet(wallet: str) -> typer.Exit:
    say(f"there is no wallet {wallet}; a wallet opens with its first entry")
    return typer.Exit(EXIT_FINDINGS)
