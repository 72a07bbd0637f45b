"""What people ask of receivables, read from published views. Amounts are minor units of `currency`."""

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from fleet.database import Tx
from fleet.zones import local_date
from services.receivables.domain.credit import Credit, CreditPolicy, Refused, overdue, within
from services.receivables.domain.credit import check as judge
from services.receivables.domain.dispatches import to_hold

Listed = Literal["received", "waiting", "failed", "unexplained", "refunds_waiting", "moved"]

_RECEIVED = """
    SELECT charge_id, received_at, student, currency, amount, fee, refunded, disputed, lost
    FROM receivables_public.payments
    WHERE CAST(:student AS text) IS NULL OR student = :student
    ORDER BY received_at DESC, charge_id DESC LIMIT :most OFFSET :skip
"""
_WAITING = """
    SELECT charge_id, first_seen_at, fee, fee_currency AS currency, refunds, disputes
    FROM receivables_public.waiting_charges
    WHERE CAST(:student AS text) IS NULL
    ORDER BY first_seen_at DESC, charge_id DESC LIMIT :most OFFSET :skip
"""
_FAILED = """
    SELECT payment_intent_id, failed_at, student, currency, amount, code
    FROM receivables_public.payment_failures
    WHERE CAST(:student AS text) IS NULL OR student = :student
    ORDER BY failed_at DESC, payment_intent_id DESC LIMIT :most OFFSET :skip
"""
_UNEXPLAINED = """
    SELECT charge_id, student, currency, told_refunded, known_refunds
    FROM receivables_public.unexplained_refunds AS told
    WHERE (CAST(:student AS text) IS NULL OR student = :student)
      AND told_refunded - known_refunds >
          (SELECT coalesce(sum(amount), 0) FROM receivables_public.refunds
           WHERE refunds.charge_id = told.charge_id AND NOT moved AND NOT failed)
    ORDER BY charge_id DESC LIMIT :most OFFSET :skip
"""
_REFUNDS_WAITING = """
    SELECT refund_id, charge_id, at, student, refunds.currency, refunds.amount
    FROM receivables_public.refunds JOIN receivables_public.payments USING (charge_id)
    WHERE NOT moved AND NOT failed AND (CAST(:student AS text) IS NULL OR student = :student)
    ORDER BY at DESC, refund_id DESC LIMIT :most OFFSET :skip
"""
_MOVED = """
    SELECT charge_id, moved_at, from_student, to_student, currency, amount, moved_by, why
    FROM receivables_public.payment_moves
    WHERE CAST(:student AS text) IS NULL OR :student IN (from_student, to_student)
    ORDER BY moved_at DESC, charge_id DESC, number DESC LIMIT :most OFFSET :skip
"""
_LISTS: Final[dict[Listed, str]] = {
    "received": _RECEIVED,
    "waiting": _WAITING,
    "failed": _FAILED,
    "unexplained": _UNEXPLAINED,
    "refunds_waiting": _REFUNDS_WAITING,
    "moved": _MOVED,
}


async def payments(
    tx: Tx, listed: Listed, *, student: str | None = None, most: int = 1000, skip: int = 0
) -> list[dict[str, Any]]:
    """The payments of one kind, each kind with columns of its own; of one student, or of everybody.

    The newest `most` but for `skip`, newest last.
    waiting: charges known only by a refund, a dispute or a fee,
    which name no student. failed: attempts that did not go through. unexplained: charges of which more was
    refunded than by the refunds that Stripe told of. refunds_waiting: refunds that Stripe holds until the
    school's balance there covers them. moved: payments that went from one student to another.
    """
    rows = await tx.all(_LISTS[listed], student=student, most=most, skip=skip)
    return [dict(row._mapping) for row in reversed(rows)]


_UNALLOCATED = """
    SELECT charge_id, received_at, queued_at, named, closest, currency, amount, balance
    FROM receivables_public.unallocated_payments WHERE student IS NULL ORDER BY queued_at, charge_id
"""


async def unallocated_payments(tx: Tx) -> list[dict[str, Any]]:
    """Payments that name no known student, oldest first; `balance`: what liability:unallocated holds of it.

    named: what the metadata calls the student; closest: the student whose name is nearest to it.
    """
    return [dict(row._mapping) for row in await tx.all(_UNALLOCATED)]


_MOVES = """
    SELECT charge_id, moved_at, from_student, to_student, currency, amount, moved_by, why
    FROM receivables_public.payment_moves
    WHERE charge_id = :charge_id ORDER BY charge_id, number
"""


async def payment_moves(tx: Tx, charge_id: str) -> list[dict[str, Any]]:
    """Where a payment was before: each move from one student to another, the first one first."""
    return [dict(row._mapping) for row in await tx.all(_MOVES, charge_id=charge_id)]


_PAYMENT = """
    SELECT charge_id, payment_intent_id, received_at, student, currency, amount, fee, refunded, disputed, lost
    FROM receivables_public.payments WHERE charge_id = :charge_id
"""


async def payment(tx: Tx, charge_id: str) -> dict[str, Any] | None:
    """One payment as `received` lists it, and its payment intent."""
    row = await tx.first(_PAYMENT, charge_id=charge_id)
    return dict(row._mapping) if row else None


_ZONE = "SELECT time_zone FROM receivables_public.school"
_CREDITS = """
    SELECT student, currency, posted, pending, available, disputed, credit_limit, room, used_percent, level,
           frozen, own_limit, until
    FROM receivables_public.credit_of(:day, CAST(:student AS text))
"""
_LIMITS = """
    SELECT student, effective_from, until, amount AS credit_limit, frozen, withdrawn, version
    FROM receivables_public.credit_limits WHERE student = :student ORDER BY effective_from, version
"""


async def today(tx: Tx, now: datetime) -> date:
    """The date of an instant on the school's calendar."""
    row = await tx.one(_ZONE)
    return local_date(now, row.time_zone)


async def credits(tx: Tx, now: datetime, *, student: str | None = None) -> list[dict[str, Any]]:
    """How students stand, by name; of one or of everybody. Amounts are minor units of `currency`."""
    rows = await tx.all(_CREDITS, day=await today(tx, now), student=student)
    return [dict(row._mapping) for row in rows]


async def credit_limits(tx: Tx, student: str) -> list[dict[str, Any]]:
    """A student's own limits by the day from which they stand, withdrawn ones too."""
    return [dict(row._mapping) for row in await tx.all(_LIMITS, student=student)]


_STUDENT_KNOWN = """
    SELECT EXISTS (SELECT FROM billing_public.cards WHERE kind = 'student' AND key = :student)
        OR EXISTS (SELECT FROM billing_public.bills WHERE student = :student) AS known,
           (SELECT currency FROM receivables_public.school) AS currency
"""
_METHODS = """
    SELECT student, payment_method, method_type, expires_on, set_up_at, detached_at, stopped_at, stopped_why
    FROM receivables_public.saved_methods
    WHERE CAST(:student AS text) IS NULL OR student = :student ORDER BY student, set_up_at
"""
_CHOICES = """
    SELECT choice.student, occasion, threshold, day, most, most_a_day, school.currency, chosen_at, chosen_by
    FROM receivables_public.charge_choices AS choice CROSS JOIN receivables_public.school
    WHERE CAST(:student AS text) IS NULL OR student = :student ORDER BY student
"""
_CHARGES = """
    SELECT decided_at, student, cause, currency, amount, state, kind, code, retry_at, charge_id, sentence
    FROM receivables_public.auto_charges
    WHERE (CAST(:student AS text) IS NULL OR student = :student)
      AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY decided_at DESC, request_id LIMIT :most OFFSET :skip
"""


_ASKED_FOR = """
    SELECT request_id FROM receivables_public.auto_charges
    WHERE student = :student AND kind = 'authentication' ORDER BY answered_at DESC, request_id LIMIT 1
"""


async def page_of_a_bank(tx: Tx, student: str) -> UUID | None:
    """Which page of payouts' was made when a bank asked for a student last; None: no bank did."""
    row = await tx.first(_ASKED_FOR, student=student)
    return row.request_id if row else None


async def student_and_currency(tx: Tx, student: str) -> tuple[bool, str | None]:
    """Whether the school knows a student, by its book or a bill; and the school's currency."""
    row = await tx.one(_STUDENT_KNOWN, student=student)
    return row.known, row.currency


async def saved_methods(tx: Tx, student: str | None = None) -> list[dict[str, Any]]:
    """Payment methods that students saved, the newest of each last: that one is charged."""
    return [dict(row._mapping) for row in await tx.all(_METHODS, student=student)]


async def charge_choices(tx: Tx, student: str | None = None) -> list[dict[str, Any]]:
    """When students let their saved method be charged, and up to how much."""
    return [dict(row._mapping) for row in await tx.all(_CHOICES, student=student)]


async def auto_charges(
    tx: Tx, *, student: str | None = None, state: str | None = None, most: int = 1000, skip: int = 0
) -> list[dict[str, Any]]:
    """Charges of saved methods, newest last: the newest `most` but for `skip`."""
    rows = await tx.all(_CHARGES, student=student, state=state, most=most, skip=skip)
    return [dict(row._mapping) for row in reversed(rows)]


_MARGIN = "SELECT receivables_public.margin_percent_on(:day) AS percent"
_BLOCKS = "SELECT currency, total FROM receivables_public.overdue_that_blocks(:day, :student)"
_OF_KIND = "SELECT receivables_public.activity_limit_on(:day, CAST(:activity AS text)) AS amount"
_UNDER_WAY = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM receivables_public.auto_charges
    WHERE student = :student AND state IN ('asked', 'processing')
"""


async def check(
    tx: Tx, student: str, estimate: int, now: datetime, activity: str | None = None
) -> tuple[Credit, int, Refused | None] | None:
    """Whether a student may fly for an estimate: how they stand, what would be held, and why not.

    activity: solo, dual or ground, of a planned flight; limit and room are those of its kind then.

    The answer of a dispatch that is decided now; nothing is held. None: the book names no currency yet.
    """
    day = await today(tx, now)
    row = await tx.first(_CREDITS, day=day, student=student)
    if row is None:
        return None
    credit = within(Credit(**row._mapping), (await tx.one(_OF_KIND, day=day, activity=activity)).amount)
    margin = (await tx.one(_MARGIN, day=day)).percent
    held = to_hold(estimate, CreditPolicy(margin_percent=margin))
    under_way = (await tx.one(_UNDER_WAY, student=student)).amount
    blocked = await tx.first(_BLOCKS, day=day, student=student)
    if blocked is not None and not credit.frozen:
        return credit, held, overdue(student, blocked.currency, blocked.total)
    return credit, held, judge(credit, held, under_way)


_ALLOWANCES = """
    SELECT id, flight_id, student, currency, amount, until, asked_by, asked_at, approved_by, closed_by, why,
           CASE WHEN closed_at IS NOT NULL THEN 'ended' WHEN until <= :now THEN 'over'
                WHEN needs_second AND approved_at IS NULL THEN 'waits' ELSE 'in force' END AS stands
    FROM receivables_public.credit_allowances
    WHERE CAST(:student AS text) IS NULL OR student = :student ORDER BY asked_at DESC LIMIT :most
"""


async def allowances(
    tx: Tx, now: datetime, *, student: str | None = None, most: int = 1000
) -> list[dict[str, Any]]:
    """Flights that people allowed beyond the limit, newest first."""
    return [dict(row._mapping) for row in await tx.all(_ALLOWANCES, now=now, student=student, most=most)]


_CROSSINGS = """
    SELECT student, number, changed_at, from_level, to_level, currency, posted, pending, disputed,
           credit_limit, sentence
    FROM receivables_public.credit_level_changes
    WHERE CAST(:student AS text) IS NULL OR student = :student
    ORDER BY changed_at DESC, student, number DESC LIMIT :most
"""


async def crossings(tx: Tx, *, student: str | None = None, most: int = 1000) -> list[dict[str, Any]]:
    """Which levels of their limits students crossed, and what was said then; newest first."""
    return [dict(row._mapping) for row in await tx.all(_CROSSINGS, student=student, most=most)]
