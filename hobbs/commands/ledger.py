"""`hobbs balances`, `statement`, `close`, `periods`: the ledger's books.

Amounts are minor units in JSON and CSV, and the currency's own decimals in tables.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, tzinfo
from typing import Annotated, Any, Final

import typer

from fleet.zones import UnknownZone, time_zone
from hobbs.commands.queries import currency_of, decide, instant_of, no_wallet, read
from hobbs.shell.money_columns import with_money
from hobbs.shell.names import refuse_named
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, agreed, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption
from services.adjustments.desk.reads import explanations
from services.billing.desk import reads as billing
from services.ledger.desk import decisions, reads
from services.ledger.desk.reads.balances import BalanceAt, WalletBalance
from services.ledger.desk.reads.periods import ClosedPeriod
from services.ledger.desk.reads.statements import PAGE_LINES_MAX, Page, StatementLine
from services.ledger.domain.holds import RefusedCommand
from services.ledger.domain.wallets import WALLET_KINDS

MONEY: Final = ("amount", "balance", "pending", "available", "limit", "balance_after")
COUNTS: Final = ("entries", "version", "late_journals")
TABLE_LINES: Final = 50

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
    occurred_by = None if at is None else instant_of(at, "--at")
    known_by = None if known_at is None else instant_of(known_at, "--known-at")
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
    most: Annotated[
        int | None,
        typer.Option(
            min=1, max=PAGE_LINES_MAX, help=f"The last so many lines; {TABLE_LINES} in a table unless told."
        ),
    ] = None,
    before: Annotated[
        int | None, typer.Option(min=1, help="Only lines before this version: the page before.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(min=0, help="The first lines after this version: the next page.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            help="Of the times: UTC, America/New_York. In a table the school's unless told, else UTC."
        ),
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Show a wallet's entries with running balances, in the order they were posted. Exit 1: no such wallet.

    A journal that came late stands where it was posted, with the time when it occurred. JSON is an object:
    `lines`, their `order` and `time_zone`, and the cursors `before` (null on the first page) and `after`.
    """
    named = None if zone is None else _known_zone(zone)
    chosen = currency_of(wallet, currency)
    lines = most or (TABLE_LINES if output is Output.table else PAGE_LINES_MAX)
    page = read(
        lambda tx: reads.statements.statement(tx, wallet, chosen, before=before, after=after, most=lines)
    )
    school = output is Output.table and named is None
    _show_page(page, output, named or (_known_zone(read(billing.whole_book).time_zone()) if school else UTC))
    if page.before is not None:
        say(f"{page.before - 1} earlier lines: --before {page.before}; later ones: --after {page.after}")
    elif after is not None and len(page.lines) == lines:
        say(f"there may be later lines: --after {page.after}")


def _known_zone(name: str) -> tzinfo:
    try:
        return time_zone(name)
    except UnknownZone as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedLine(StatementLine):
    """A line, and the adjustment's journal that corrects what it says; None: it stands as it is."""

    corrected_by: str | None


def _show_page(page: Page, output: Output, zone: tzinfo) -> None:
    marks = read(lambda tx: explanations.corrected_by(tx, [line.source for line in page.lines]))
    lines = [
        MarkedLine(
            **{
                **asdict(line),
                "occurred_at": line.occurred_at.astimezone(zone),
                "recorded_at": line.recorded_at.astimezone(zone),
            },
            corrected_by=marks.get(line.source),
        )
        for line in page.lines
    ]
    if output is Output.json:
        show_one({**asdict(replace(page, lines=lines)), "order": "posting", "time_zone": str(zone)}, output)
        return
    said = f"in the order of posting; times are {zone}"
    _show(lines, output, MarkedLine, title=f"{page.wallet}, {page.currency}: {said}")
    if output is Output.csv:
        say(f"{page.wallet}, {page.currency}: {said}")


@app.command("close")
def close_command(
    until: Annotated[str, typer.Argument(metavar="INSTANT", help="Such as 2026-06-01T00:00:00-05:00.")],
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; close nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Close every period before an instant; late journals are then dated at it. Exit 1: it is refused.

    `hobbs periods` lists what is closed.
    """
    instant = instant_of(until, "INSTANT")
    refuse_named(why)
    if dry_run or not yes:
        _exit_if_refused(decide(lambda tx: decisions.preview_close(tx, instant, why)))
    if dry_run:
        say(f"dry run, nothing changed: everything before {until} would be closed")
        return
    if not yes and not agreed(f"Close everything before {until}? It stays closed."):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    _exit_if_refused(decide(lambda tx: decisions.close_period(tx, instant, why)))
    say(f"closed until {until}")


@app.command("periods")
def periods_command(output: OutputOption = Output.table) -> None:
    """List closed periods, the newest first: until when, by whom, why, and the journals that came late."""
    _show(read(reads.periods.list_closed), output, ClosedPeriod)


def _exit_if_refused(refused: RefusedCommand | None) -> None:
    if refused is not None:
        say(f"refused: {refused.sentence}; `hobbs periods` lists what is closed")
        raise typer.Exit(EXIT_FINDINGS)


def _show(rows: Sequence[Any], output: Output, kind: type[Any], *, title: str | None = None) -> None:
    shown = with_money([asdict(row) for row in rows], output, MONEY)
    columns = list(kind.__dataclass_fields__)
    show_rows(shown, output, columns=columns, right=[*MONEY, *COUNTS], title=title)
