"""Payments of students, by card and by hand: what came in, what names nobody, and whose it is.

\b
Examples:
  hobbs payments list --student student-01
  hobbs payments unallocated
  hobbs payments allocate ch_3Qx student-01 --dry-run
  hobbs payments link student-01
  hobbs payments link student-01 --amount 120.00
  hobbs payments auto student-01 --each-flight --most 500.00
  hobbs payments record student-01 --method cheque --number 1044 --amount 120.00
  hobbs payments deposit 2026-048
  hobbs payments show ch_3Qx
  hobbs payments move ch_3Qx --to student-02 --why "metadata named another student" --dry-run
"""

from typing import Annotated, Any, Final

import typer

from fleet.settings import Settings
from hobbs.commands import payments_cards, payments_notes, payments_recorded
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Effects, Question, decide
from hobbs.shell.lists import MostOption, Part, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from services.receivables.desk import reads
from services.receivables.desk.reads import Listed
from services.receivables.domain.students import is_student_name

MONEY: Final = (
    "amount",
    "fee",
    "refunded",
    "disputed",
    "lost",
    "balance",
    "told_refunded",
    "known_refunds",
)
PAYMENT_COLUMNS: Final = (
    "charge_id",
    "received_at",
    "student",
    "currency",
    "amount",
    "fee",
    "refunded",
    "disputed",
    "lost",
)
UNALLOCATED_COLUMNS: Final = (
    "charge_id",
    "received_at",
    "queued_at",
    "named",
    "closest",
    "currency",
    "amount",
    "balance",
)
POSTING_COLUMNS: Final = ("source", "wallet", "amount", "currency")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)


@app.command("list")
def list_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    state: Annotated[
        Listed,
        typer.Option(
            help="waiting: charges known only by a refund, a dispute or a fee; "
            "unexplained: more was refunded than the refunds Stripe told of; "
            "refunds_waiting: Stripe holds them until the school's balance there covers them: top it up; "
            "moved: payments that went from one student to another."
        ),
    ] = "received",
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List payments, newest first: gross, Stripe's fee once known, and what went back."""
    shown = part(most, skip, output)
    found = run(_payments(settings_or_exit(Settings), state, student, shown))
    rows = shown.of(found[::-1], f"payments ({state})")
    show_rows(with_money(rows, output, MONEY), output, columns=None if rows else PAYMENT_COLUMNS, right=MONEY)


@app.command("unallocated")
def unallocated_command(output: OutputOption = Output.table) -> None:
    """List payments that name no student, or one nobody knows, oldest first. Exit 1 when there are any."""
    rows = run(_unallocated(settings_or_exit(Settings)))
    show_rows(with_money(rows, output, MONEY), output, columns=UNALLOCATED_COLUMNS, right=MONEY)
    if rows:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("allocate")
def allocate_command(
    charge_id: Annotated[str, typer.Argument(metavar="ID", help="The charge, as `unallocated` lists it.")],
    student: Annotated[str, typer.Argument(metavar="STUDENT")],
    dry_run: Annotated[bool, typer.Option(help="Show what would be posted and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    new_student: Annotated[bool, typer.Option(help="The student is in no book yet.")] = False,
    why: WhyOption = "",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Give an unallocated payment to a student: what liability:unallocated holds for it moves, once.

    Exit 1 when it cannot be given (the charge or the student is unknown, or it has a student already), when
    you say no, or when receivables does not answer.
    """
    if not is_student_name(student):
        raise typer.BadParameter(f"{student!r} cannot name a student", param_hint="STUDENT")
    question = Question(
        service="receivables",
        action="allocate",
        object=charge_id,
        who=who,
        why=why,
        parameters={"student": student, "new_student": new_student},
    )
    decide(
        question,
        dry_run=dry_run,
        yes=yes,
        prompt=f"Give {charge_id} to {student}?",
        show=lambda effects: _show_entries(effects, output),
    )


@app.command("move")
def move_command(
    charge_id: Annotated[str, typer.Argument(metavar="ID", help="The charge, as `list` shows it.")],
    to: Annotated[str, typer.Option("--to", metavar="STUDENT", help="Whose payment it is.")],
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option(help="Show what would be posted and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    new_student: Annotated[bool, typer.Option(help="The student is in no book yet.")] = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Move a payment from the student it was booked for to another.

    What the first student's wallet holds of it moves: the payment less refunds and lost disputes. Exit 1 when
    it cannot be moved (the charge or the student is unknown, it has no student, or nothing of it is left),
    when you say no, or when receivables does not answer.
    """
    if not is_student_name(to):
        raise typer.BadParameter(f"{to!r} cannot name a student", param_hint="--to")
    question = Question(
        service="receivables",
        action="move",
        object=charge_id,
        who=who,
        why=why,
        parameters={"student": to, "new_student": new_student},
    )
    decide(
        question,
        dry_run=dry_run,
        yes=yes,
        prompt=f"Move {charge_id} to {to}?",
        show=lambda effects: _show_entries(effects, output),
    )


@app.command("show")
def show_command(
    charge_id: Annotated[str, typer.Argument(metavar="ID", help="The charge.")],
    output: OutputOption = Output.table,
) -> None:
    """Show one payment, and the students it was moved between. Exit 1 when no such payment was received."""
    payment, moves = run(_payment(settings_or_exit(Settings), charge_id))
    if payment is None:
        say(f"no payment {charge_id} was received; hobbs payments list --state waiting shows other charges")
        raise typer.Exit(EXIT_FINDINGS)
    [shown], moved = with_money([payment], output, MONEY), with_money(moves, output, MONEY)
    if output is Output.json:
        show_one({**shown, "moves": moved}, output)
        return
    show_one(shown, output)
    if moved:
        show_rows(moved, output, right=MONEY)


def _show_entries(entries: Effects, output: Output) -> None:
    show_rows(with_money(entries, output, MONEY), output, columns=POSTING_COLUMNS, right=MONEY)


async def _payments(
    settings: Settings, state: Listed, student: str | None, shown: Part
) -> list[dict[str, Any]]:
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.payments(tx, state, student=student, most=shown.asked, skip=shown.skip)


async def _payment(settings: Settings, charge_id: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.payment(tx, charge_id), await reads.payment_moves(tx, charge_id)


async def _unallocated(settings: Settings) -> list[dict[str, Any]]:
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.unallocated_payments(tx)


payments_cards.add_to(app)
payments_recorded.add_to(app)
payments_notes.add_to(app)
