"""Payments by hand: cash, cheques and bank transfers that a person records, and their way to the bank."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from fleet.money import parse_minor
from hobbs.commands.queries import read, read_snapshot
from hobbs.shell.decisions import Effects, Question, decide, decide_about
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from services.receivables.desk import reads
from services.receivables.desk.reads import recorded
from services.receivables.desk.reads.recorded import Shown
from services.receivables.domain.recorded_payments import Method

COLUMNS: Final = (
    *("id", "recorded_at", "student", "method", "number", "paid_on", "currency", "amount", "state"),
    "deposit",
)
HISTORY_COLUMNS: Final = ("at", "what", "state", "who", "why", "deposit")
DEPOSIT_COLUMNS: Final = ("id", "number", "deposited_on", "currency", "total", "payments", "made_by")
EFFECT_COLUMNS: Final = ("source", "wallet", "amount", "currency")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `hobbs payments recorded` shows it.")]
DryRunOption = Annotated[bool, typer.Option(help="Show what would be posted and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DayOption = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day of it; today without it.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `hobbs payments`."""
    app.command("record")(record_command)
    app.command("name")(name_command)
    app.command("recorded")(recorded_command)
    app.command("history")(history_command)
    app.command("approve")(approve_command)
    app.command("clear")(clear_command)
    app.command("bounce")(bounce_command)
    app.command("revert")(revert_command)
    app.command("deposit")(deposit_command)
    app.command("deposits")(deposits_command)
    app.command("revert-deposit")(revert_deposit_command)


def record_command(
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="Whose payment it is.")],
    method: Annotated[Method, typer.Option(help="How it came.")],
    number: Annotated[
        str, typer.Option(help="Of the receipt for cash, of the cheque, or the bank's reference.")
    ],
    amount: Annotated[str, typer.Option(help="Such as 120.00.")],
    bill: Annotated[str | None, typer.Option(help="The flight whose bill it pays first.")] = None,
    on: DayOption = None,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Record a payment by cash, cheque or bank transfer, once for its number.

    By the book a cheque counts when it is cleared (`hobbs payments clear`), or at once. A mistake is reverted
    (`hobbs payments revert`) and recorded again. Exit 1 when it is refused, or when you say no.
    """
    _, currency = read(lambda tx: reads.student_and_currency(tx, student))
    if currency is None:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    try:
        minor = parse_minor(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--amount") from None
    told = {"method": method, "number": number, "paid_on": _day(on), "amount": minor}
    if bill is not None:
        told["bill"] = bill
    decide_posting("record_payment", student, who, why, dry_run=dry_run, yes=yes, parameters=told)


def name_command(
    payment: Annotated[str, typer.Argument(metavar="ID", help="The charge, or a payment by hand.")],
    why: NeededWhyOption,
    bill: Annotated[
        str | None, typer.Option(help="The flight whose bill it pays first; without: what is due first.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Say which bill a payment pays first, and show which are open then. The rest pays the oldest."""
    question = Question(
        service="receivables", action="name_bill", object=payment, who=who, why=why, parameters={"bill": bill}
    )
    prompt = f"{payment} pays {bill or 'what is due first'}?"
    decide(question, dry_run=dry_run, yes=yes, prompt=prompt, show=_show_open)


def recorded_command(
    shown: Annotated[
        Shown,
        typer.Option("--state", help="kept: cash and cheques in no deposit; waits: for a second person."),
    ] = "all",
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List payments that people recorded, newest last: where each stands and which deposit holds it."""
    wanted = part(most, skip, output)
    found = read(
        lambda tx: recorded.payments(tx, shown=shown, student=student, most=wanted.asked, skip=wanted.skip)
    )
    rows = with_money(wanted.of(found[::-1], "payments by hand")[::-1], output, ("amount",))
    show_rows(
        rows, output, columns=COLUMNS if output is Output.table or not rows else None, right=("amount",)
    )


def history_command(payment: IdArgument, output: OutputOption = Output.table) -> None:
    """Show what people said of a payment by hand, in order. Exit 1 when nobody recorded it."""
    rows = read(lambda tx: recorded.history(tx, _uuid(payment)))
    show_rows(rows, output, columns=HISTORY_COLUMNS)
    if not rows:
        raise typer.Exit(EXIT_FINDINGS)


def approve_command(
    payment: IdArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """Agree to a payment that somebody else recorded and that needs a second person."""
    decide_posting("approve_payment", payment, who, "", dry_run=dry_run, yes=yes)


def clear_command(
    payment: IdArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """Say that the bank paid a cheque: from now on it counts as paid."""
    decide_posting("clear_cheque", payment, who, "", dry_run=dry_run, yes=yes)


def bounce_command(
    payment: IdArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Say that the bank returned a cheque: what it paid is owed again, and the student is told."""
    decide_posting("bounce_cheque", payment, who, why, dry_run=dry_run, yes=yes)


def revert_command(
    payment: IdArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Take back a payment that was recorded by mistake: the opposite is posted, and its number is free."""
    decide_posting("revert_payment", payment, who, why, dry_run=dry_run, yes=yes)


def deposit_command(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Of the bank's slip.")],
    payments: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="What it holds; without: all that is kept.")
    ] = None,
    on: DayOption = None,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Record that cash and cheques were brought to the bank together: one line of its statement."""
    told: dict[str, Any] = {"deposited_on": _day(on), "payments": payments or []}
    decide_posting("deposit_payments", number, who, why, dry_run=dry_run, yes=yes, parameters=told)


def deposits_command(
    deposit: Annotated[str | None, typer.Argument(metavar="ID", help="Show what this one held.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List what was brought to the bank, newest last; or what one deposit held."""
    if deposit is not None:
        held = read(lambda tx: recorded.deposited(tx, _uuid(deposit)))
        show_rows(with_money(held, output, ("amount",)), output, right=("amount",))
        if not held:
            raise typer.Exit(EXIT_FINDINGS)
        return
    wanted = part(most, skip, output)
    found = read_snapshot(lambda tx: recorded.deposits(tx, most=wanted.asked, skip=wanted.skip))
    rows = with_money(wanted.of(found[::-1], "deposits")[::-1], output, ("total",))
    columns = DEPOSIT_COLUMNS if output is Output.table or not rows else None
    show_rows(rows, output, columns=columns, right=("total", "payments"))


def revert_deposit_command(
    deposit: Annotated[str, typer.Argument(metavar="ID", help="As `hobbs payments deposits` shows it.")],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Take back a deposit that was recorded by mistake: what it held is in none again."""
    decide_posting("revert_deposit", deposit, who, why, dry_run=dry_run, yes=yes)


def decide_posting(
    action: str,
    about: str,
    who: str,
    why: str,
    *,
    dry_run: bool,
    yes: bool,
    parameters: dict[str, Any] | None = None,
) -> None:
    """Decide something of receivables, and show what it posts."""
    decide_about(
        "receivables",
        action,
        about,
        who,
        why,
        dry_run=dry_run,
        yes=yes,
        parameters=parameters,
        show=_show,
    )


def _show(effects: Effects) -> None:
    rows: Sequence[Any] = with_money(list(effects), Output.table, ("amount",))
    show_rows(rows, Output.table, columns=EFFECT_COLUMNS, right=("amount",))


def _show_open(effects: Effects) -> None:
    rows = with_money(list(effects), Output.table, ("open",))
    show_rows(rows, Output.table, columns=("document", "open", "currency"), right=("open",))


def _day(on: datetime | None) -> str:
    """The day told, or today at the school."""
    return (on.date() if on else read(lambda tx: reads.today(tx, datetime.now(UTC)))).isoformat()


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no id; hobbs payments recorded shows them") from None
