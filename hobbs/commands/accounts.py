"""What students owe: open items, and by how long they are overdue.

\b
Examples:
  hobbs accounts ageing
  hobbs accounts ageing --total --on 2026-12-31
  hobbs accounts ageing --student student-01 -o csv
  hobbs accounts items student-01
  hobbs accounts items student-01 --document flight:F123
"""

from datetime import UTC, date, datetime
from typing import Annotated, Final

import typer

from hobbs.commands.queries import read, read_snapshot
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from services.receivables.desk.reads import open_items

AGES: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "owed", "credit", "balance")
ITEM_MONEY: Final = ("amount", "settled", "open")
ITEM_COLUMNS: Final = (
    "student",
    "currency",
    "document",
    "booked_on",
    "due_on",
    "days_overdue",
    *ITEM_MONEY,
)
LINE_COLUMNS: Final = ("document", "booked_on", "source", "currency", "amount", "journal_id")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)


@app.command("ageing")
def ageing_command(
    student: Annotated[str | None, typer.Option(help="Only this student.")] = None,
    total: Annotated[bool, typer.Option("--total", help="Everybody together, by currency.")] = False,
    on: Annotated[
        str | None,
        typer.Option(help="As if this were the day (YYYY-MM-DD): only the ages change."),
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """List what students owe by how long it is overdue. credit: paid beyond it. balance: the ledger's.

    owed is positive; balance is credit less owed.
    """
    day = _day(on)
    now = datetime.now(UTC)
    if total:
        rows = read_snapshot(lambda tx: open_items.ageing_in_total(tx, now, on=day))
        columns: tuple[str, ...] = ("currency", "students", *AGES)
    else:
        rows = read_snapshot(lambda tx: open_items.ageing(tx, now, student=student, on=day))
        columns = ("student", "currency", *AGES, "oldest_due")
    show_rows(
        with_money(rows, output, (*AGES, "overdue")), output, columns=columns, right=(*AGES, "students")
    )


@app.command("items")
def items_command(
    student: Annotated[str | None, typer.Argument(help="Its name, as in the school's book.")] = None,
    settled: Annotated[bool, typer.Option("--all", help="Settled items too.")] = False,
    document: Annotated[str | None, typer.Option(help="The journals of this item of the student.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List open items, what is due first first. Credit is positive: bills are negative."""
    now = datetime.now(UTC)
    if document is not None:
        _show_lines(student, document, output)
        return
    chosen = part(most, skip, output)
    rows = read_snapshot(
        lambda tx: open_items.items(
            tx, now, student=student, settled=settled, most=chosen.asked, skip=chosen.skip
        )
    )
    shown = chosen.of(rows, "items", order="what is due first first")
    show_rows(with_money(shown, output, ITEM_MONEY), output, columns=ITEM_COLUMNS, right=ITEM_MONEY)


def _show_lines(student: str | None, document: str, output: Output) -> None:
    if student is None:
        raise typer.BadParameter("--document needs its student: hobbs accounts items STUDENT --document …")
    rows = read(lambda tx: open_items.lines(tx, student, document))
    if not rows:
        say(f"{student} has no item {document}")
        raise typer.Exit(EXIT_FINDINGS)
    show_rows(with_money(rows, output, ("amount",)), output, columns=LINE_COLUMNS, right=("amount",))


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--on {text}: not a date, write YYYY-MM-DD") from None
