"""Saved cards and bank accounts: a page where a student saves one, when it is charged, what was charged."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from fleet.database import Tx
from fleet.grants import OPERATOR
from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.commands.queries import read_snapshot
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Question, ask, decide
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from services.payouts.desk import reads as pages
from services.receivables.desk import reads
from services.receivables.domain.auto_charges import DAY_MOST, State
from services.receivables.domain.students import is_student_name

MADE_WITHIN: Final = timedelta(seconds=15)
LOOK_S: Final = 0.2
Look = Callable[[Tx], Awaitable[dict[str, Any] | None]]
CHOICE_MONEY: Final = ("threshold", "most", "most_a_day")

StudentArgument = Annotated[str, typer.Argument(metavar="STUDENT", help="Its name, as in the school's book.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `hobbs payments`."""
    app.command("link")(link_command)
    app.command("adopt")(adopt_command)
    app.command("auto")(auto_command)
    app.command("cards")(cards_command)
    app.command("charges")(charges_command)


def link_command(
    student: StudentArgument,
    amount: Annotated[str | None, typer.Option(help="To be paid now; without it a method is saved.")] = None,
    bill: Annotated[str | None, typer.Option(help="The flight whose bill is paid first.")] = None,
    declined: Annotated[
        bool, typer.Option("--declined", help="Show the page made when a bank asked for the student.")
    ] = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Make a page of Stripe's where a student saves a card or bank account, or pays an amount once.

    It is good for a day. Send it to the student only: who has it can pay or save a card for them. With
    --declined none is made: a bank that asks for the student has one made at once, of what was to be charged.
    Exit 1 when nobody knows the student, or Stripe refuses.
    """
    if declined:
        page = read_snapshot(lambda tx: reads.page_of_a_bank(tx, student))
        without = "no bank asked for them, or the page is no longer good"
        _show_page(student, run(_of_a_bank(page)), without, output)
        return
    currency = _currency(student)
    parameters: dict[str, Any] = {"currency": currency}
    if amount is not None:
        parameters["amount"] = _minor(amount, currency, "--amount")
    if bill is not None and amount is None:
        raise typer.BadParameter("say the amount that is paid for it too", param_hint="--bill")
    if bill is not None:
        parameters["bill"] = bill
    question = Question(
        service="payouts",
        action="student_link",
        object=f"student:{student}",
        who=who,
        why="a page for the student",
        parameters=parameters,
    )
    _show_page(student, run(_made(question)), "payouts made no page within seconds: is it running?", output)


def _show_page(student: str, found: Mapping[str, Any] | None, without: str, output: Output) -> None:
    """Show a page; ends the command where there is none."""
    if found is None or found["url"] is None:
        say((found or {}).get("problem") or without)
        raise typer.Exit(EXIT_FINDINGS)
    show_one({"student": student, "url": found["url"], "expires_at": found["expires_at"]}, output)


async def _of_a_bank(page: UUID | None) -> Mapping[str, Any] | None:
    if page is None:
        return None
    async with reading(settings_or_exit(Settings), role=OPERATOR) as database, database.transaction() as tx:
        return await pages.find_student_link(tx, page)


async def _made(question: Question) -> dict[str, Any] | None:
    settings = settings_or_exit(Settings)
    answer = await ask(settings, question)
    if answer.outcome == "refused":
        return {"url": None, "problem": answer.sentence}
    return await _once_there(settings, lambda tx: pages.find_student_link(tx, answer.decision_id))


async def _once_there(settings: Settings, look: Look) -> dict[str, Any] | None:
    """What payouts wrote of a request, once it has; None when it takes longer."""
    async with reading(settings, role=OPERATOR) as database:
        for _ in range(int(MADE_WITHIN / timedelta(seconds=LOOK_S))):
            async with database.transaction() as tx:
                if found := await look(tx):
                    return found
            await asyncio.sleep(LOOK_S)
    return None


def adopt_command(
    student: StudentArgument,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id at Stripe: cus_…")],
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option(help="Show what would change and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Take a customer that exists at Stripe for a student that has none; none is made for them then.

    The payouts service reads it from Stripe first: it has to be running. A customer of another student is
    refused, and one that Stripe does not show to this platform. Exit 1: it is not taken.
    """
    _currency(student)  # ends the command where nobody knows the student
    question = Question(
        service="payouts",
        action="adopt_customer",
        object=f"student:{student}",
        who=who,
        why=why,
        parameters={"customer": customer},
    )
    answer = decide(question, dry_run=dry_run, yes=yes, prompt=f"Take {customer} for {student}?")
    if dry_run:
        return
    settings = settings_or_exit(Settings)
    done = run(_once_there(settings, lambda tx: pages.find_customer_adoption(tx, answer.decision_id)))
    if done is None or done["problem"] is not None:
        say(f"not taken: {done['problem']}" if done else "the payouts service has not read it yet; it will")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"{customer} is the customer of {student}")


def auto_command(
    student: StudentArgument,
    each_flight: Annotated[bool, typer.Option("--each-flight", help="After each flight.")] = False,
    threshold: Annotated[str | None, typer.Option(help="Once so much is owed.")] = None,
    day: Annotated[int | None, typer.Option(min=1, max=DAY_MOST, help="On a day of each month.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Never by itself.")] = False,
    most: Annotated[str | None, typer.Option(help="The most for one charge.")] = None,
    most_a_day: Annotated[str | None, typer.Option(help="The most a day; as --most without it.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would change and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    why: WhyOption = "",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Write down when a student lets the saved card or bank account be charged, and up to how much.

    One of --each-flight, --threshold, --day and --off. What is owed is charged, never more. Exit 1 when it
    makes no sense, when you say no, or when receivables does not answer.
    """
    chosen = [each_flight, threshold is not None, day is not None, off]
    if chosen.count(True) != 1:
        raise typer.BadParameter("say one of --each-flight, --threshold, --day and --off")
    currency = _currency(student)
    if most is None and not off:
        raise typer.BadParameter("say the most for one charge", param_hint="--most")
    occasion = ("each_flight", "threshold", "day", "off")[chosen.index(True)]
    limit = _minor(most or "1", currency, "--most")
    parameters: dict[str, Any] = {"occasion": occasion, "most": limit, "most_a_day": limit}
    if most_a_day is not None:
        parameters["most_a_day"] = _minor(most_a_day, currency, "--most-a-day")
    if threshold is not None:
        parameters["threshold"] = _minor(threshold, currency, "--threshold")
    if day is not None:
        parameters["day"] = day
    question = Question(
        service="receivables",
        action="choose_charges",
        object=student,
        who=who,
        why=why,
        parameters=parameters,
    )
    rows = [{**parameters, "student": student, "currency": currency}]
    decide(
        question,
        dry_run=dry_run,
        yes=yes,
        prompt=f"Charge {student} so?",
        show=lambda effects: show_rows(with_money(rows, output, CHOICE_MONEY), output, right=CHOICE_MONEY),
    )


def cards_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """List saved cards and bank accounts, and when they are charged. Of several the last one is."""
    methods = read_snapshot(lambda tx: reads.saved_methods(tx, student))
    choices = read_snapshot(lambda tx: reads.charge_choices(tx, student))
    by_student = {row["student"]: row for row in with_money(choices, output, CHOICE_MONEY)}
    nothing = dict.fromkeys(("occasion", "day", *CHOICE_MONEY))
    rows = [
        {**row, **{name: by_student.get(row["student"], nothing)[name] for name in nothing}}
        for row in methods
    ]
    columns = ("student", "payment_method", "method_type", "expires_on", "stopped_why", *nothing)
    show_rows(rows, output, columns=columns if output is Output.table or not rows else None)


def charges_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those that stand so.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List charges of saved cards, newest first: for what cause, how much, what became of each."""
    shown = part(most, skip, output)
    found = read_snapshot(
        lambda tx: reads.auto_charges(tx, student=student, state=state, most=shown.asked, skip=skip)
    )
    rows = with_money(shown.of(found[::-1], "charges of saved cards"), output, ("amount",))
    columns = ("decided_at", "student", "cause", "currency", "amount", "state", "kind", "code", "retry_at")
    chosen = columns if output is Output.table or not rows else None
    show_rows(rows, output, columns=chosen, right=("amount",))


def _currency(student: str) -> str:
    """The school's currency; ends the command where nobody knows the student."""
    if not is_student_name(student):
        raise typer.BadParameter(f"{student!r} cannot name a student", param_hint="STUDENT")
    known, currency = read_snapshot(lambda tx: reads.student_and_currency(tx, student))
    if not known or currency is None:
        say(f"no student {student!r} has a card or a bill; spell it as in the school's book")
        raise typer.Exit(EXIT_FINDINGS)
    return currency


def _minor(text: str, currency: str, hint: str) -> int:
    try:
        return parse_minor(text, currency)
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint=hint) from None
