"""Dunning: students who are asked for what is overdue, step by step of the school's book.

\b
Examples:
  hobbs dunning list
  hobbs dunning list --dry-run
  hobbs dunning show student-01
  hobbs dunning link student-01
  hobbs dunning promise student-01 --until 2026-12-31 --why "asked by telephone" --yes
  hobbs dunning pause student-01 --why "the bill is in question" --yes
  hobbs dunning resume student-01 --why "the bill was right" --yes
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from fleet.grants import OPERATOR
from fleet.settings import Settings
from hobbs.commands.queries import read, read_snapshot
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import decide_about
from hobbs.shell.list_group import ListByDefault
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.payouts.desk import reads as pages
from services.receivables.desk.reads import dunning

COLUMNS: Final = (
    "student",
    "currency",
    "total",
    "days_overdue",
    "run",
    "last_step",
    "last_on",
    "stopped",
    "until",
    "step",
    "action",
)
DUE_COLUMNS: Final = ("student", "currency", "total", "days_overdue", "step", "action", "from")
HISTORY_COLUMNS: Final = ("at", "run", "what", "step", "action", "currency", "total", "until", "who", "why")

app = typer.Typer(cls=ListByDefault, help=__doc__, rich_markup_mode=None)

StudentArgument = Annotated[str, typer.Argument(metavar="STUDENT", help="Its name, as in the school's book.")]
DryRunOption = Annotated[bool, typer.Option(help="Show what would be decided and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="What would be asked of whom today; nothing is written.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """List who is asked for what is overdue, what stops it, and the step that is due next.

    stopped: quiet (night, weekend or holiday), paused, promised, disputed, in_question, charge_under_way,
    too_little.
    """
    now = datetime.now(UTC)
    if dry_run:
        rows = read_snapshot(lambda tx: dunning.due_today(tx, now))
        show_rows(with_money(rows, output, ("total",)), output, columns=DUE_COLUMNS, right=("total",))
        return
    rows = read_snapshot(lambda tx: dunning.listed(tx, now))
    right = ("total", "days_overdue")
    show_rows(with_money(rows, output, ("total",)), output, columns=COLUMNS, right=right)


@app.command("show")
def show_command(student: StudentArgument, output: OutputOption = Output.table) -> None:
    """Show how one student stands, and all that was done and decided. Exit 1: something is overdue."""
    rows = read_snapshot(lambda tx: dunning.listed(tx, datetime.now(UTC), student=student))
    if not rows:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    if output is Output.table:
        show_rows(with_money(rows, output, ("total",)), output, columns=COLUMNS, right=("total",))
    history = read(lambda tx: dunning.history(tx, student))
    shown = with_money(history, output, ("total",))
    columns = HISTORY_COLUMNS if output is Output.table else None
    show_rows(shown, output, columns=columns, right=("total",))
    if rows[0]["total"]:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("link")
def link_command(student: StudentArgument, output: OutputOption = Output.table) -> None:
    """Show the page at Stripe by which a student pays what they were asked for last; it is good for a day.

    Send it to the student only. Exit 1: nothing was asked for, or the page is no longer good.
    """
    page = read(lambda tx: dunning.newest_page(tx, student))
    found = run(_page(page)) if page is not None else None
    if found is None or found["url"] is None:
        problem = (found or {}).get("problem") or "there is no page, or it is no longer good"
        say(f"{problem}: hobbs payments link {student} --amount …")
        raise typer.Exit(EXIT_FINDINGS)
    show_one({"student": student, "url": found["url"], "expires_at": found["expires_at"]}, output)


async def _page(page: UUID) -> dict[str, Any] | None:
    async with reading(settings_or_exit(Settings), role=OPERATOR) as database, database.transaction() as tx:
        return await pages.find_student_link(tx, page)


@app.command("pause")
def pause_command(
    student: StudentArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Ask a student for nothing until it is resumed; a block of dispatches is lifted meanwhile."""
    decide_about("receivables", "pause_dunning", student, who, why, dry_run=dry_run, yes=yes)


@app.command("resume")
def resume_command(
    student: StudentArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """End a pause or a promise; what was asked already in this run is not asked again."""
    decide_about("receivables", "resume_dunning", student, who, why, dry_run=dry_run, yes=yes)


@app.command("promise")
def promise_command(
    student: StudentArgument,
    until: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD: nothing is asked up to it.")],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Note that a student promised to pay; what is overdue the day after is asked for again."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter(f"{until!r} is no date such as 2026-12-31", param_hint="--until") from None
    told = {"until": day.isoformat()}
    decide_about(
        "receivables", "promise_payment", student, who, why, dry_run=dry_run, yes=yes, parameters=told
    )
