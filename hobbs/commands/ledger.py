"""`hobbs balances`, `holds`, `statement`, `close`: the ledger's books.

Amounts are minor units in JSON and CSV, and the currency's own decimals in tables.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from hobbs.commands.queries import currency_of, decide, no_wallet, read
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, agreed, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption
from services.ledger.desk import decisions, reads
from services.ledger.desk.reads.balances import BalanceAt, WalletBalance
from services.ledger.desk.reads.holds import Hold
from services.ledger.desk.reads.statements import PAGE_LINES_MAX, Page, StatementLine
from services.ledger.domain.wallets import WALLET_KINDS

MONEY: Final = ("amount", "balance", "pending", "available", "limit", "balance_after", "posted_amount")
HOLD_STATES: Final = ("open", "posted", "voided", "expired", "any")
COUNTS: Final = ("entries", "version", "position")

app = typer.Typer(no_args_is_help=True)

WalletArgument = Annotated[str, typer.Argument(help="Its address, such as student:student-01.")]


@app.command("balances")
def balances_command(
    wallet: Annotated[str | None, typer.Argument(help="Only this wallet, such as platform:school.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"Only one of: {', '.join(WALLET_KINDS)}.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="After all that occurred by this instant, such as 2026-05-31T23:59:59Z."
        ),
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="With --at: only what was recorded by this instant.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Show what the school owes each wallet's holder (negative: is owed). Exit 1: there is no such wallet."""
    if kind is not None and kind not in WALLET_KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(WALLET_KINDS)}", param_hint="--kind")
    occurred_by = None if at is None else _instant(at, "--at")
    known_by = None if known_at is None else _instant(known_at, "--known-at")
    if known_by is not None and occurred_by is None:
        raise typer.BadParameter("say --at too", param_hint="--known-at")
    rows: Sequence[WalletBalance | BalanceAt]
    if occurred_by is None:
        rows = read(lambda tx: reads.balances.list_balances(tx, wallet=wallet, kind=kind))
    else:
        rows = read(
            lambda tx: reads.balances.balances_at(
                tx, wallet=wallet, kind=kind, occurred_by=occurred_by, known_by=known_by
            )
        )
    _show(rows, output, WalletBalance if occurred_by is None else BalanceAt)
    if wallet is not None and not rows:
        raise no_wallet(wallet)


@app.command("statement")
def statement_command(
    wallet: WalletArgument,
    currency: Annotated[
        str | None, typer.Option(help="Needed only when the wallet holds several currencies.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=PAGE_LINES_MAX, help="The last so many lines.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=1, help="Only lines before this version: the page before.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(min=0, help="The first lines after this version: the next page.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Show a wallet's entries with running balances, oldest first. Exit 1: there is no such wallet.

    JSON is an object: `lines`, and the cursors `before` (null on the first page) and `after`.
    """
    chosen = currency_of(wallet, currency)
    page = read(
        lambda tx: reads.statements.statement(tx, wallet, chosen, before=before, after=after, most=most)
    )
    _show_page(page, output)


def _show_page(page: Page, output: Output) -> None:
    if output is Output.json:
        show_one(asdict(page), output)
        return
    _show(page.lines, output, StatementLine)
    if page.before is not None and output is Output.table:
        say(f"{page.before - 1} earlier lines: --before {page.before}; later ones: --after {page.after}")


@app.command("holds")
def holds_command(
    wallet: Annotated[str | None, typer.Argument(help="Only on this wallet.")] = None,
    state: Annotated[str, typer.Option(help="open, posted, voided, expired, or any.")] = "open",
    most: Annotated[int, typer.Option(min=1, max=PAGE_LINES_MAX, help="The last so many.")] = 100,
    output: OutputOption = Output.table,
) -> None:
    """Show open holds, or closed ones; oldest first."""
    if state not in HOLD_STATES:
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(HOLD_STATES)}", param_hint="--state")
    chosen = None if state == "any" else state
    _show(read(lambda tx: reads.holds.list_holds(tx, wallet=wallet, state=chosen, most=most)), output, Hold)


def _instant(text: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an instant: {error}", param_hint=option) from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text} says no time zone; add Z or an offset", param_hint=option)
    return instant


@app.command("close")
def close_command(
    until: Annotated[str, typer.Argument(metavar="INSTANT", help="Such as 2026-06-01T00:00:00-05:00.")],
    why: NeededWhyOption,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Close every period before an instant; late journals are then dated at it. Exit 1: it is refused."""
    instant = _instant(until, "INSTANT")
    if not yes and not agreed(f"Close everything before {until}? It stays closed."):
        raise typer.Exit(EXIT_FINDINGS)
    decide(lambda tx: decisions.close_period(tx, instant, why))
    say(f"closed until {until}")


def _show(rows: Sequence[Any], output: Output, kind: type[Any]) -> None:
    shown = with_money([asdict(row) for row in rows], output, MONEY)
    show_rows(shown, output, columns=list(kind.__dataclass_fields__), right=[*MONEY, *COUNTS])
