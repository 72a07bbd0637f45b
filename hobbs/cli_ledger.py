"""`hobbs balances`, `hobbs statement` and `hobbs explain`: the books, for people and for scripts.

Amounts are minor units in JSON and CSV, and the currency's own decimals in tables.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final, TypeVar

import typer

from fleet.database import Tx
from fleet.money import format_minor
from fleet.settings import Settings
from hobbs.connections import acting_as, run, settings_or_exit
from hobbs.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from services.ledger import statements
from services.ledger.domain import WALLET_KINDS
from services.ledger.statements import PAGE_LINES_MAX, PostedJournal, StatementLine, WalletBalance

T = TypeVar("T")

MONEY: Final = ("amount", "balance", "balance_after")
COUNTS: Final = ("entries", "version", "position")

app = typer.Typer(no_args_is_help=True)
explain = typer.Typer(
    no_args_is_help=True, help="Say what a journal consists of, and whether it is unchanged."
)
app.add_typer(explain, name="explain")

WalletArgument = Annotated[str, typer.Argument(help="Its address, such as student:student-01.")]


@app.command("balances")
def balances_command(
    wallet: Annotated[str | None, typer.Argument(help="Only this wallet, such as platform:school.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"Only one of: {', '.join(WALLET_KINDS)}.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Show what the school owes each wallet's holder (negative: is owed). Exit 1: there is no such wallet."""
    if kind is not None and kind not in WALLET_KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(WALLET_KINDS)}", param_hint="--kind")
    rows = _read(lambda tx: statements.list_balances(tx, wallet=wallet, kind=kind))
    _show(rows, output, WalletBalance)
    if wallet is not None and not rows:
        raise _no_wallet(wallet)


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
    output: OutputOption = Output.table,
) -> None:
    """Show a wallet's entries with running balances, oldest first. Exit 1: there is no such wallet."""
    held = [row.currency for row in _read(lambda tx: statements.list_balances(tx, wallet=wallet))]
    if not held:
        raise _no_wallet(wallet)
    if currency is None and len(held) > 1:
        raise typer.BadParameter(f"{wallet} holds {', '.join(held)}: choose one", param_hint="--currency")
    chosen = currency or held[0]
    lines = _read(lambda tx: statements.statement(tx, wallet, chosen, before=before, most=most))
    _show(lines, output, StatementLine)
    if lines and lines[0].version > 1 and output is Output.table:
        say(f"{lines[0].version - 1} earlier lines: --before {lines[0].version}")


@explain.command("journal")
def explain_journal_command(
    name: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Such as flight:F123:1, or the journal's id.")
    ],
    output: OutputOption = Output.table,
) -> None:
    """Show a journal and its entries. Exit 1: there is none, or it is not what was posted."""
    journal = _read(lambda tx: statements.find_journal(tx, name))
    if journal is None:
        say(f"there is no journal {name}; `hobbs dead list -s ledger` shows requests that were refused")
        raise typer.Exit(EXIT_FINDINGS)
    _show_journal(journal, output)
    if not journal.says_what_it_said:
        say(f"journal {journal.source} is not what was posted: its content no longer has its hash")
        raise typer.Exit(EXIT_FINDINGS)


def _show_journal(journal: PostedJournal, output: Output) -> None:
    head: dict[str, Any] = {
        **{field: value for field, value in asdict(journal).items() if field != "entries"},
        "content_hash": journal.content_hash.hex(),
        "says_what_it_said": journal.says_what_it_said,
    }
    entries = [asdict(entry) for entry in journal.entries]
    if output is Output.json:
        show_one({**head, "entries": entries}, output)
    elif output is Output.csv:
        show_rows([{**head, **entry} for entry in entries], output)
    else:
        show_one(head, output)
        show_rows([_readable(entry) for entry in entries], output, right=[*MONEY, *COUNTS])


def _show(rows: Sequence[Any], output: Output, kind: type[Any]) -> None:
    plain = [asdict(row) for row in rows]
    shown = [_readable(row) for row in plain] if output is Output.table else plain
    show_rows(shown, output, columns=list(kind.__dataclass_fields__), right=[*MONEY, *COUNTS])


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    money = {field: format_minor(row[field], row["currency"]) for field in MONEY if field in row}
    return {**row, **money}


def _read(query: Callable[[Tx], Awaitable[T]]) -> T:
    return run(_ask(settings_or_exit(Settings), query))


async def _ask(settings: Settings, query: Callable[[Tx], Awaitable[T]]) -> T:
    async with acting_as(settings, "ledger") as database, database.transaction() as tx:
        return await query(tx)


def _no_wallet(wallet: str) -> typer.Exit:
    say(f"there is no wallet {wallet}; a wallet opens with its first entry")
    return typer.Exit(EXIT_FINDINGS)
