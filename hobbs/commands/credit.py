"""Credit: what students may owe, how they stand, and whether they may fly.

\b
Examples:
  hobbs credit list
  hobbs credit list --level exceeded -o csv
  hobbs credit show student-01
"""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import typer

from hobbs.commands.queries import read, read_snapshot
from hobbs.shell.list_group import ListByDefault
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from services.receivables.desk import reads

Chosen = Literal["ok", "near", "close", "exceeded", "frozen"]
MONEY: Final = ("posted", "pending", "available", "disputed", "credit_limit", "room")
COLUMNS: Final = ("student", "currency", *MONEY, "used_percent", "level", "frozen", "until")
LIMIT_COLUMNS: Final = ("effective_from", "until", "credit_limit", "frozen", "withdrawn", "version")

app = typer.Typer(cls=ListByDefault, help=__doc__, rich_markup_mode=None)

StudentArgument = Annotated[str, typer.Argument(help="Its name, as in the school's book.")]


@app.command("list")
def list_command(
    level: Annotated[Chosen | None, typer.Option(help="Only those at this level, or frozen.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """List how students stand: what is posted, held and available, the limit, and the room that is left.

    available: posted less pending (holds of dispatched flights). level: ok, near, close, exceeded.
    """
    rows = read_snapshot(lambda tx: reads.credits(tx, datetime.now(UTC)))
    shown = [
        row for row in rows if level is None or row["level"] == level or (level == "frozen" and row["frozen"])
    ]
    show_rows(with_money(shown, output, MONEY), output, columns=COLUMNS, right=(*MONEY, "used_percent"))


@app.command("show")
def show_command(student: StudentArgument, output: OutputOption = Output.table) -> None:
    """Show how one student stands, and the limits of their own. Exit 1: exceeded or frozen."""
    rows = read_snapshot(lambda tx: reads.credits(tx, datetime.now(UTC), student=student))
    if not rows:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    show_rows(with_money(rows, output, MONEY), output, columns=COLUMNS, right=(*MONEY, "used_percent"))
    if output is Output.table:
        own = read(lambda tx: reads.credit_limits(tx, student))
        if own:
            named = [{**row, "currency": rows[0]["currency"]} for row in own]
            shown = with_money(named, output, ("credit_limit",))
            show_rows(shown, output, columns=LIMIT_COLUMNS, right=("credit_limit",))
    if rows[0]["level"] == "exceeded" or rows[0]["frozen"]:
        raise typer.Exit(EXIT_FINDINGS)
