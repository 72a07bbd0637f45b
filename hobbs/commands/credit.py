"""Credit: what students may owe, how they stand, and whether they may fly.

\b
Examples:
  hobbs credit list
  hobbs credit list --level exceeded -o csv
  hobbs credit show student-01
  hobbs credit crossings
  hobbs credit check student-01 --aircraft N364MA --hours 1.5 --instructor instructor-01
  hobbs credit check student-01 --charge 250.00
  hobbs credit allow F123 student-01 --amount 120.00 --hours 24 --why "pays on Friday" --dry-run
  hobbs credit allowances
  hobbs credit set student-01 --limit 500.00 --until 2026-12-31 --why "pays monthly" --dry-run
  hobbs credit proposals
  hobbs credit refuse ID --why "leaves in May"
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import typer
from pydantic import ValidationError

from fleet.inbox import describe
from fleet.money import parse_minor
from hobbs.commands import credit_limits
from hobbs.commands.queries import read, read_snapshot
from hobbs.shell.decisions import decide_about
from hobbs.shell.list_group import ListByDefault
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from schemas.dispatches import FlightDispatched
from services.billing.desk.reads import estimates
from services.receivables.desk import reads

Chosen = Literal["ok", "near", "close", "exceeded", "frozen"]
MONEY: Final = ("posted", "pending", "available", "disputed", "credit_limit", "room")
COLUMNS: Final = ("student", "currency", *MONEY, "used_percent", "level", "frozen", "until")
LIMIT_COLUMNS: Final = ("effective_from", "until", "credit_limit", "frozen", "withdrawn", "version")
CROSSING_MONEY: Final = ("posted", "pending", "disputed", "credit_limit")
CROSSING_COLUMNS: Final = ("student", "changed_at", "from_level", "to_level", "currency", *CROSSING_MONEY)
SHOWN_CROSSINGS: Final = 20

app = typer.Typer(cls=ListByDefault, help=__doc__, rich_markup_mode=None)
credit_limits.add_to(app)

ALLOWANCE_COLUMNS: Final = ("id", "flight_id", "student", "currency", "amount", "until", "stands")

DryRunOption = Annotated[bool, typer.Option(help="Show what would be decided and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AllowanceArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `hobbs credit allowances` shows it.")
]
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
    """Show how one student stands, their own limits and how they changed, and the levels they crossed lately.

    Exit 1: exceeded or frozen.
    """
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
        credit_limits.show_history(student, output)
        if crossed := read(lambda tx: reads.crossings(tx, student=student, most=SHOWN_CROSSINGS)):
            shown = with_money(crossed, output, CROSSING_MONEY)
            show_rows(shown, output, columns=CROSSING_COLUMNS[1:], right=CROSSING_MONEY)
    if rows[0]["level"] == "exceeded" or rows[0]["frozen"]:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("crossings")
def crossings_command(
    student: Annotated[str | None, typer.Argument(help="Only this student's.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """List who crossed a level of their limit and what was said then; newest first."""
    rows = read(lambda tx: reads.crossings(tx, student=student))
    show_rows(
        with_money(rows, output, CROSSING_MONEY), output, columns=CROSSING_COLUMNS, right=CROSSING_MONEY
    )


@app.command("check")
def check_command(
    student: StudentArgument,
    aircraft: Annotated[str | None, typer.Option(help="Its registration, as in the school's book.")] = None,
    hours: Annotated[str | None, typer.Option(help="Planned hours in the aircraft, in tenths: 1.5")] = None,
    instructor: Annotated[str | None, typer.Option(help="Who flies along for all of them.")] = None,
    ground: Annotated[str, typer.Option(help="Planned hours on the ground with the instructor.")] = "0",
    charge: Annotated[str | None, typer.Option(help="Instead of a flight: what it costs, 250.00")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Say whether a student may fly as planned, by the cards that will bill the flight. Nothing is held.

    Exit 1: they may not, or the flight cannot be priced.
    """
    now = datetime.now(UTC)
    if (charge is None) == (aircraft is None and instructor is None):
        raise typer.BadParameter("say the flight (--aircraft, --hours, --instructor), or its --charge")
    activity = None
    if charge:
        estimate = _named(student, charge)
    else:
        planned = _planned(student, aircraft, hours, instructor, ground, now)
        estimate, activity = _priced(planned), planned.activity
    found = read_snapshot(lambda tx: reads.check(tx, student, estimate, now, activity))
    if found is None:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    credit, held, refused = found
    row = {
        "student": student,
        "currency": credit.currency,
        "estimate": estimate,
        "held": held,
        "available": credit.available,
        "room": credit.room,
        "level": credit.level,
        "answer": "allowed" if refused is None else refused.reason,
        "shortfall": refused and refused.shortfall,
    }
    money = ("estimate", "held", "available", "room", "shortfall")
    show_rows(with_money([row], output, money), output, right=money)
    if refused is not None:
        say("; or ".join((refused.sentence, *refused.ways)))
        raise typer.Exit(EXIT_FINDINGS)


@app.command("allow")
def allow_command(
    flight: Annotated[str, typer.Argument(help="The flight's id, as it is dispatched.")],
    student: StudentArgument,
    amount: Annotated[str, typer.Option(help="How much beyond the limit, such as 120.00.")],
    why: NeededWhyOption,
    hours: Annotated[float, typer.Option(help="For how long.", min=0.1, max=168.0)] = 24.0,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Allow one flight beyond a student's limit; then it is dispatched again.

    Above the book's allowed_by_one_up_to a second person has to approve. A frozen student stays frozen.
    """
    _, currency = read(lambda tx: reads.student_and_currency(tx, student))
    if currency is None:
        say("the school's book names no currency yet: hobbs school apply")
        raise typer.Exit(EXIT_FINDINGS)
    try:
        minor = parse_minor(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--amount") from None
    until = datetime.now(UTC) + timedelta(hours=hours)
    told = {"student": student, "amount": minor, "until": until.isoformat()}
    decide_about("receivables", "allow_flight", flight, who, why, dry_run=dry_run, yes=yes, parameters=told)


@app.command("allowances")
def allowances_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """List which flights were allowed beyond the limit, by whom, until when and why; newest first."""
    rows = read(lambda tx: reads.allowances(tx, datetime.now(UTC), student=student))
    show_rows(
        with_money(rows, output, ("amount",)),
        output,
        columns=None if rows else ALLOWANCE_COLUMNS,
        right=("amount",),
    )


@app.command("approve")
def approve_command(
    allowance: AllowanceArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """Agree to an allowance that somebody else asked for."""
    decide_about("receivables", "approve_allowance", allowance, who, "", dry_run=dry_run, yes=yes)


@app.command("end")
def end_command(
    allowance: AllowanceArgument, dry_run: DryRunOption = False, yes: YesOption = False, who: WhoOption = ""
) -> None:
    """End an allowance before its time; a flight that was cleared by it stays cleared."""
    decide_about("receivables", "close_allowance", allowance, who, "", dry_run=dry_run, yes=yes)


def _named(student: str, charge: str) -> int:
    """A charge that the caller names, in minor units of the school's currency."""
    _, currency = read(lambda tx: reads.student_and_currency(tx, student))
    try:
        amount = parse_minor(charge, currency or "USD")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--charge") from None
    if amount <= 0:
        raise typer.BadParameter("a charge is more than nothing", param_hint="--charge")
    return amount


def _planned(
    student: str, aircraft: str | None, hours: str | None, instructor: str | None, ground: str, now: datetime
) -> FlightDispatched:
    said = {
        "flight_id": "credit-check",
        "departs_at": now,
        "aircraft": aircraft,
        "student": student,
        "flight_hours": hours,
        "instructor": instructor,
        "dual_hours": (hours or "0") if instructor and aircraft else "0",
        "ground_hours": ground,
    }
    try:
        return FlightDispatched.model_validate(said)
    except ValidationError as error:
        raise typer.BadParameter(describe(error)) from None


def _priced(planned: FlightDispatched) -> int:
    """What the planned flight would be billed, in minor units; ends the command when it cannot be priced."""
    told = read_snapshot(lambda tx: estimates.estimate(tx, planned))
    if told.estimate is None:
        say(told.sentence)
        raise typer.Exit(EXIT_FINDINGS)
    return told.estimate
