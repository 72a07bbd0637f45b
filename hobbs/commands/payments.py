"""Card payments of students: what came in, what names nobody, and whose it is.

\b
Examples:
  hobbs payments list --student student-01
  hobbs payments unallocated
  hobbs payments allocate ch_3Qx student-01 --dry-run
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import typer

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, run, settings_or_exit
from hobbs.shell.login_name import login_name
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, agreed, say, show_rows
from services.receivables import store
from services.receivables.domain.charges import Contradiction, StudentNamed
from services.receivables.domain.postings import Step, decide
from services.receivables.handlers import allocate_payment

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
UNALLOCATED_COLUMNS: Final = ("charge_id", "received_at", "queued_at", "currency", "amount", "balance")
POSTING_COLUMNS: Final = ("source", "wallet", "amount", "currency")
STUDENT_CHARS_MAX: Final = 100

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)


@app.command("list")
def list_command(
    student: Annotated[str | None, typer.Option(help="Only this student's.")] = None,
    state: Annotated[
        Literal["received", "waiting", "failed", "unexplained"],
        typer.Option(
            help="waiting: charges known only by a refund, a dispute or a fee; "
            "unexplained: more was refunded than the refunds Stripe told of."
        ),
    ] = "received",
    most: Annotated[int, typer.Option(min=1, max=100_000, help="The last so many.")] = 1000,
    output: OutputOption = Output.table,
) -> None:
    """List payments, newest last: gross, Stripe's fee once known, and what went back."""
    sql = _LISTS[state]
    rows = run(_read(settings_or_exit(Settings), sql, student=student, most=most))
    show_rows(with_money(rows, output, MONEY), output, columns=None if rows else PAYMENT_COLUMNS, right=MONEY)


@app.command("unallocated")
def unallocated_command(output: OutputOption = Output.table) -> None:
    """List payments that name no student, oldest first. Exit 1 when there are any."""
    rows = run(_read(settings_or_exit(Settings), _UNALLOCATED))
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
    who: Annotated[str | None, typer.Option(help="Who decides; your login name unless told.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Give an unallocated payment to a student: what liability:unallocated holds for it moves, once.

    Exit 1 when it cannot be given (it is unknown, or has a student already).
    """
    _require_name(student)
    settings = settings_or_exit(Settings)
    if not new_student and not run(_is_known(settings, student)):
        say(
            f"no student {student!r} has a card or a bill; spell it as in the school's book, or --new-student"
        )
        raise typer.Exit(EXIT_USAGE)
    _show_postings(_or_exit(run(_preview(settings, charge_id, student))), output)
    if dry_run:
        say("dry run: nothing was posted")
        return
    if not yes and not agreed(f"give {charge_id} to {student}?"):
        say("nothing was posted")
        raise typer.Exit(EXIT_FINDINGS)
    _or_exit(run(_allocate(settings, charge_id, student, who or login_name())))
    say(f"{charge_id} belongs to {student}")


def _require_name(student: str) -> None:
    if not 1 <= len(student) <= STUDENT_CHARS_MAX or not student.isprintable() or student != student.strip():
        raise typer.BadParameter(f"{student!r} cannot name a student", param_hint="STUDENT")


def _or_exit(step: Step | Contradiction) -> Step:
    if isinstance(step, Contradiction):
        say(step.sentence)
        raise typer.Exit(EXIT_FINDINGS)
    return step


def _show_postings(step: Step, output: Output) -> None:
    rows = [
        {"source": p.source, "wallet": entry.wallet, "amount": entry.amount, "currency": p.currency}
        for p in step.postings
        for entry in p.entries
    ]
    show_rows(with_money(rows, output, MONEY), output, columns=POSTING_COLUMNS, right=MONEY)


async def _read(settings: Settings, sql: str, **wanted: Any) -> list[dict[str, Any]]:
    async with acting_as(settings, "receivables") as database, database.transaction() as tx:
        return [dict(row._mapping) for row in await tx.all(sql, **wanted)]


async def _is_known(settings: Settings, student: str) -> bool:
    async with acting_as(settings, "receivables") as database, database.transaction() as tx:
        return (await tx.one(_STUDENT_IS_KNOWN, student=student)).known is True


async def _preview(settings: Settings, charge_id: str, student: str) -> Step | Contradiction:
    async with acting_as(settings, "receivables") as database, database.transaction() as tx:
        return await _decided(tx, charge_id, student)


async def _decided(tx: Tx, charge_id: str, student: str) -> Step | Contradiction:
    charge = (await store.load_charges(tx, [charge_id])).get(charge_id)
    if charge is None:
        return Contradiction(reason="unknown_charge", sentence=f"no charge {charge_id} is known")
    now = datetime.now(UTC)
    return decide(charge, StudentNamed(charge_id=charge_id, student=student, at=now), now=now)


async def _allocate(settings: Settings, charge_id: str, student: str, who: str) -> Step | Contradiction:
    async with acting_as(settings, "receivables") as database, database.transaction() as tx:
        return await allocate_payment(tx, charge_id, student, who=who, now=datetime.now(UTC))


_RECEIVED: Final = """
    SELECT * FROM (
        SELECT charge_id, received_at, student, currency, amount, fee, refunded, disputed, lost
        FROM receivables_public.payments
        WHERE CAST(:student AS text) IS NULL OR student = :student
        ORDER BY received_at DESC, charge_id DESC LIMIT :most) AS latest
    ORDER BY received_at, charge_id
"""

_WAITING: Final = """
    SELECT charge_id, first_seen_at, fee, fee_currency AS currency, refunds, disputes
    FROM receivables_public.waiting_charges
    WHERE CAST(:student AS text) IS NULL ORDER BY first_seen_at LIMIT :most
"""

_FAILED: Final = """
    SELECT payment_intent_id, failed_at, student, currency, amount, code
    FROM receivables_public.payment_failures
    WHERE CAST(:student AS text) IS NULL OR student = :student
    ORDER BY failed_at LIMIT :most
"""

_UNEXPLAINED: Final = """
    SELECT charge_id, student, currency, told_refunded, known_refunds
    FROM receivables_public.unexplained_refunds
    WHERE CAST(:student AS text) IS NULL OR student = :student
    ORDER BY charge_id LIMIT :most
"""

_LISTS: Final = {
    "received": _RECEIVED,
    "waiting": _WAITING,
    "failed": _FAILED,
    "unexplained": _UNEXPLAINED,
}

_UNALLOCATED: Final = """
    SELECT charge_id, received_at, queued_at, currency, amount, balance
    FROM receivables_public.unallocated_payments WHERE student IS NULL ORDER BY queued_at, charge_id
"""

_STUDENT_IS_KNOWN: Final = """
    SELECT EXISTS (SELECT FROM billing_public.cards WHERE kind = 'student' AND key = :student)
        OR EXISTS (SELECT FROM billing_public.bills WHERE student = :student) AS known
"""
