"""Refunds, credit notes and write-offs by a person: `hobbs payments refund`, `credit-note`, `write-off`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import typer

from fleet.money import parse_minor
from hobbs.commands.payments_recorded import decide_posting
from hobbs.commands.queries import read
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.receivables.desk import reads
from services.receivables.desk.reads import notes

Way = Literal["card", "cash", "cheque", "bank_transfer"]
State = Literal["waits", "asked", "posted", "settled", "refused", "reverted"]
MONEY: Final = ("amount", "refunded")
COLUMNS: Final = (
    *(
        "id",
        "asked_at",
        "kind",
        "student",
        "currency",
        *MONEY,
        "bill",
        "way",
        "state",
        "asked_by",
        "approved_by",
    ),
)

NoteArgument = Annotated[str, typer.Argument(metavar="ID", help="As `hobbs payments notes` shows it.")]
FlightArgument = Annotated[str, typer.Argument(metavar="FLIGHT", help="The flight whose bill it is.")]
AmountOption = Annotated[
    str | None, typer.Option("--amount", help="Such as 120.00; without: what is open of the bill.")
]
DryRunOption = Annotated[bool, typer.Option(help="Show what would be decided and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def refund_command(
    student: Annotated[str, typer.Argument(help="Its name, as in the school's book.")],
    amount: Annotated[str, typer.Option(help="How much of the credit, such as 120.00.")],
    why: NeededWhyOption,
    way: Annotated[Way, typer.Option(help="card: back to what it was paid with, by Stripe.")] = "card",
    number: Annotated[str | None, typer.Option(help="Of the receipt or cheque, or the bank's.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day it was paid out; today without.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Give a student back what is overpaid, never more than their credit.

    By card Stripe gives it back to the newest payments; cash, a cheque or a bank transfer that was paid out
    is written down with its number. Above the book's given_by_one_up_to a second person has to agree.
    """
    told: dict[str, Any] = {"amount": _minor(amount), "way": way}
    if way != "card":
        day = on.date() if on else read(lambda tx: reads.today(tx, datetime.now(UTC)))
        told |= {"number": number, "paid_on": day.isoformat()}
    decide_posting("refund_credit", student, who, why, dry_run=dry_run, yes=yes, parameters=told)


def credit_note_command(
    flight: FlightArgument,
    why: NeededWhyOption,
    amount: AmountOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Credit so much of a bill; the school bears it. What instructors and owners share is a correction."""
    decide_posting("credit_bill", flight, who, why, dry_run=dry_run, yes=yes, parameters=_amount(amount))


def write_off_command(
    flight: FlightArgument,
    why: NeededWhyOption,
    amount: AmountOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Write off what a student will not pay of a bill; at most what is open of it."""
    decide_posting("write_off_bill", flight, who, why, dry_run=dry_run, yes=yes, parameters=_amount(amount))


def notes_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    state: Annotated[
        State | None, typer.Option(help="waits: for a second person; asked: for Stripe.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """List refunds, credit notes, write-offs and fees of bounced cheques, newest first."""
    rows = read(lambda tx: notes.notes(tx, student=student, state=state))
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)


def approve_note_command(
    note: NoteArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """Agree to a refund, credit note or write-off that somebody else asked for."""
    decide_posting("approve_note", note, who, "", dry_run=dry_run, yes=yes)


def refuse_note_command(
    note: NoteArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Refuse what waits for a second person; whoever asked for it may, too."""
    decide_posting("refuse_note", note, who, why, dry_run=dry_run, yes=yes)


def revert_note_command(
    note: NoteArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Take back what was posted by mistake, a fee of a bounced cheque too: the opposite is posted."""
    decide_posting("revert_note", note, who, why, dry_run=dry_run, yes=yes)


def add_to(app: typer.Typer) -> None:
    """Give `hobbs payments` these commands."""
    app.command("refund")(refund_command)
    app.command("credit-note")(credit_note_command)
    app.command("write-off")(write_off_command)
    app.command("notes")(notes_command)
    app.command("approve-note")(approve_note_command)
    app.command("refuse-note")(refuse_note_command)
    app.command("revert-note")(revert_note_command)


def _amount(amount: str | None) -> dict[str, Any]:
    return {} if amount is None else {"amount": _minor(amount)}


def _minor(amount: str) -> int:
    _, currency = read(lambda tx: reads.student_and_currency(tx, ""))
    if currency is None:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    try:
        return parse_minor(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--amount") from None
