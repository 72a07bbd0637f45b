"""Students' limits: set by a person, or risen and fallen by policy (`hobbs credit set`, `proposals`)."""

from datetime import datetime
from typing import Annotated, Final

import typer

from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.commands.queries import read
from hobbs.school.book import read_book
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.decisions import decide_about
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import Output, OutputOption, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.receivables.desk.reads import limits

MONEY: Final = ("from_limit", "to_limit")
COLUMNS: Final = (
    *("id", "student", "currency", *MONEY, "state", "proposed_at", "effective_from", "accepted_by"),
    "sentence",
)
HISTORY_COLUMNS: Final = (
    *("number", *MONEY, "state", "proposed_at", "effective_from", "decided_by", "sentence", "why"),
)
SHOWN_IN_HISTORY: Final = 20

ChangeArgument = Annotated[str, typer.Argument(metavar="ID", help="As `hobbs credit proposals` shows it.")]
DryRunOption = Annotated[bool, typer.Option(help="Show what would be decided and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def proposals_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    history: Annotated[bool, typer.Option("--all", help="Also what was decided, or was automatic.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List limits that would rise or fall by the book's policy, and what speaks for it; newest first."""
    rows = read(lambda tx: limits.changes(tx, student=student, only_open=not history))
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)


def accept_command(
    change: ChangeArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """Let a limit change as proposed. A rise above the book's allowed_by_one_up_to needs two persons."""
    decide_about("receivables", "accept_limit", change, who, "", dry_run=dry_run, yes=yes)


def refuse_command(
    change: ChangeArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Leave a limit as it is; what speaks for a rise counts anew from today."""
    decide_about("receivables", "refuse_limit", change, who, why, dry_run=dry_run, yes=yes)


def set_command(
    student: Annotated[str, typer.Argument(help="Its name, as in the school's book.")],
    why: NeededWhyOption,
    limit: Annotated[str | None, typer.Option(help="What may be owed at most: 500.00")] = None,
    no_limit: Annotated[bool, typer.Option("--no-limit", help="There is none.")] = False,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of it.")] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="No flight is cleared, whatever is owed.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Set a student's own limit from today on, instead of the school's and of what changed by policy.

    A rise above the book's allowed_by_one_up_to waits until a second person approves it: hobbs school rates
    approve ID. Write it into the school's file too, or the next hobbs school apply takes it back.
    """
    if (limit is None) != no_limit:
        raise typer.BadParameter("say --limit, or --no-limit")
    currency = run(read_book(settings_or_exit(Settings))).currency()
    told = {
        "limit": _minor(limit, currency) if limit is not None else None,
        "until": until.date().isoformat() if until else None,
        "frozen": frozen,
    }
    decide_about(
        *("billing", "set_limit", student, who, why),
        dry_run=dry_run,
        yes=yes,
        parameters={name: value for name, value in told.items() if value is not None},
    )


def _minor(text: str, currency: str) -> int:
    try:
        return parse_minor(text, currency)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from None


def show_history(student: str, output: Output) -> None:
    """How a student's limit changed by policy, newest first; nothing where it never did."""
    if rows := read(lambda tx: limits.changes(tx, student=student, most=SHOWN_IN_HISTORY)):
        show_rows(with_money(rows, output, MONEY), output, columns=HISTORY_COLUMNS, right=MONEY)


def add_to(app: typer.Typer) -> None:
    """Give `hobbs credit` these commands."""
    app.command("set")(set_command)
    app.command("proposals")(proposals_command)
    app.command("accept")(accept_command)
    app.command("refuse")(refuse_command)
