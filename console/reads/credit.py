"""Students' credit, saved methods and their charges, as lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from console.reads.accounts import OF_STUDENT
from console.reads.by_name import Rows
from console.reads.tables import Column, Listing
from fleet.database import Tx
from services.receivables.desk import reads
from services.receivables.domain.auto_charges import DeclineClass, Occasion, State

CROSSED_TO: Final = ("near", "close", "exceeded", "recovered")
_CURRENCY: Final = Column(name="currency", title="Currency", export_only=True)
_PLACE: Final = Column(name="place", title="Place", export_only=True, unsorted=True)

# Nobody is sorted here: how all students stand is the sum of all that is posted and held.
CREDIT: Final = Listing(
    name="credit",
    title="Credit",
    sql="",
    columns=(
        OF_STUDENT,
        Column(name="level", title="Level", kind="state"),
        Column(name="used_percent", title="Used, %", kind="number", empty=True),
        Column(name="credit_limit", title="Limit", kind="money", empty=True),
        Column(name="room", title="Room left", kind="money", empty=True),
        Column(name="posted", title="Balance", kind="money", link="/wallets/student%3A{student}"),
        Column(name="pending", title="On hold", kind="money", link="/wallets/student%3A{student}"),
        Column(name="disputed", title="Disputed", kind="money", link="/payments?f.student={student}"),
        Column(name="frozen", title="Frozen", kind="flag"),
        Column(name="until", title="Limit until", kind="date", empty=True, export_only=True),
        _CURRENCY,
    ),
    key="student",
    order="student",
    empty="No student has an account yet. The first flight or payment opens it.",
)

CROSSINGS: Final = Listing(
    name="crossings",
    title="Limits crossed",
    sql="""
        SELECT student || ' ' || lpad(number::text, 10, '0') AS place, changed_at, student, from_level,
               CASE WHEN to_level = 'ok' OR array_position(ARRAY['ok', 'near', 'close', 'exceeded'], to_level)
                         < array_position(ARRAY['ok', 'near', 'close', 'exceeded'], from_level)
                    THEN 'recovered' ELSE to_level END AS crossed, to_level, currency, posted, pending,
               disputed, credit_limit, sentence
        FROM receivables_public.credit_level_changes
    """,
    columns=(
        Column(name="changed_at", title="When", kind="instant", filtered="between"),
        OF_STUDENT,
        Column(name="crossed", title="Crossed", kind="state", choices=CROSSED_TO),
        Column(name="from_level", title="From", kind="state", export_only=True),
        Column(name="to_level", title="To", kind="state", export_only=True),
        Column(name="posted", title="Balance then", kind="money"),
        Column(name="pending", title="On hold then", kind="money"),
        Column(name="disputed", title="Disputed then", kind="money", export_only=True),
        Column(name="credit_limit", title="Limit then", kind="money", empty=True),
        Column(name="sentence", title="What was said", kind="long", unsorted=True),
        _CURRENCY,
        _PLACE,
    ),
    key="place",
    order="-changed_at",
    empty="No student came near a limit. A crossing of 80 %, 95 % or the whole limit is written here once.",
)

ALLOWANCES: Final = Listing(
    name="allowances",
    title="Flights allowed beyond a limit",
    sql="""
        SELECT id, asked_at, flight_id, student, currency, amount, until, asked_by,
               coalesce(approved_by, '') AS approved_by, why,
               CASE WHEN closed_at IS NOT NULL THEN 'ended' WHEN until <= now() THEN 'over'
                    WHEN needs_second AND approved_at IS NULL THEN 'waiting' ELSE 'in_force' END AS stands
        FROM receivables_public.credit_allowances
    """,
    columns=(
        Column(name="asked_at", title="Asked", kind="instant", filtered="between"),
        Column(name="flight_id", title="Flight", filtered="has", link="/allowances/{id}"),
        OF_STUDENT,
        Column(name="amount", title="Beyond the limit", kind="money", link="/allowances/{id}"),
        Column(name="stands", title="Stands", kind="state", choices=("waiting", "in_force", "over", "ended")),
        Column(name="until", title="Until", kind="instant"),
        Column(name="asked_by", title="By"),
        Column(name="approved_by", title="Agreed"),
        Column(name="why", title="Why", kind="long", unsorted=True),
        Column(name="id", title="Id", kind="id", export_only=True),
        _CURRENCY,
    ),
    key="id",
    key_kind="uuid",
    order="-asked_at",
    empty="Nobody was allowed a flight beyond their limit. It is asked for on the student's page.",
)

CARDS: Final = Listing(
    name="saved-cards",
    title="Saved cards",
    sql="""
        SELECT method.payment_method, method.student, coalesce(method.method_type, 'card') AS method_type,
               method.expires_on, method.set_up_at, coalesce(method.stopped_why, '') AS stopped_why,
               CASE WHEN method.detached_at IS NOT NULL THEN 'removed'
                    WHEN method.stopped_at IS NOT NULL THEN 'stopped'
                    WHEN method.expires_on <= (now() AT TIME ZONE school.time_zone)::date THEN 'expired'
                    ELSE 'ready' END AS state,
               coalesce(choice.occasion, 'off') AS occasion, choice.most, last.decided_at AS charged_at,
               last.amount, last.state AS charge, school.currency
        FROM receivables_public.saved_methods AS method
        CROSS JOIN receivables_public.school
        LEFT JOIN receivables_public.charge_choices AS choice ON choice.student = method.student
        LEFT JOIN LATERAL (
            SELECT one.decided_at, one.amount, one.state FROM receivables_public.auto_charges AS one
            WHERE one.student = method.student AND one.payment_method = method.payment_method
            ORDER BY one.decided_at DESC LIMIT 1) AS last ON true
    """,
    columns=(
        OF_STUDENT,
        Column(name="method_type", title="Kind", kind="state", filtered="is"),
        Column(name="state", title="State", kind="state", choices=("ready", "expired", "stopped", "removed")),
        Column(name="expires_on", title="Expires", kind="date", empty=True),
        Column(name="occasion", title="Charged", kind="state", choices=get_args(Occasion)),
        Column(name="most", title="Up to", kind="money", empty=True),
        Column(name="charged_at", title="Last charge", kind="instant", empty=True),
        Column(name="amount", title="Amount", kind="money", empty=True, link="/charges?f.student={student}"),
        Column(name="charge", title="Outcome", kind="state", choices=get_args(State), empty=True),
        Column(name="stopped_why", title="Stopped since", kind="long", unsorted=True, export_only=True),
        Column(name="set_up_at", title="Saved", kind="instant", export_only=True),
        Column(name="payment_method", title="Method at Stripe", export_only=True),
        _CURRENCY,
    ),
    key="payment_method",
    order="student",
    empty="No student has saved a card or bank account. The link for it is made on the student's page.",
)

CHARGES: Final = Listing(
    name="card-charges",
    title="Charges of saved cards",
    sql="""
        SELECT request_id, decided_at, student, cause, currency, amount, state, coalesce(kind, '') AS kind,
               coalesce(code, '') AS code, coalesce(sentence, '') AS sentence, retry_at, charge_id
        FROM receivables_public.auto_charges
    """,
    columns=(
        Column(name="decided_at", title="Decided", kind="instant", filtered="between"),
        OF_STUDENT,
        Column(name="amount", title="Amount", kind="money"),
        Column(name="state", title="State", kind="state", choices=get_args(State)),
        Column(name="cause", title="For", kind="source", filtered="has"),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="retry_at", title="Tried again", kind="instant", empty=True),
        Column(name="charge_id", title="Payment", kind="id", empty=True, link="/payments/{charge_id}"),
        Column(
            name="kind",
            title="Declined",
            kind="state",
            choices=tuple(map(str, DeclineClass)),
            export_only=True,
        ),
        Column(name="code", title="Stripe's code", filtered="is", export_only=True),
        Column(name="request_id", title="Id", kind="id", export_only=True),
        _CURRENCY,
    ),
    key="request_id",
    key_kind="uuid",
    order="-decided_at",
    empty="No saved card was charged yet. A student chooses when; then it shows here.",
)

_CREDIT: Final = """
    SELECT student, currency, posted, pending, available, disputed, credit_limit, room, used_percent, level,
           frozen, until
    FROM receivables_public.credits_of(CAST(:day AS date), ARRAY(
        SELECT DISTINCT account.student FROM receivables_public.accounts AS account
        WHERE account.student > :after
          AND (CAST(:only AS text[]) IS NULL OR account.student = ANY (CAST(:only AS text[])))
        ORDER BY account.student LIMIT :most))
    ORDER BY student
"""


async def standing(tx: Tx, now: datetime, after: str, most: int, only: Sequence[str] | None = None) -> Rows:
    """How the next students by name stand with their limits; and the last name, None at the end."""
    named = None if only is None else list(only)
    rows = await tx.all(_CREDIT, day=await reads.today(tx, now), after=after, most=most, only=named)
    found = [dict(row._mapping) for row in rows]
    return found, found[-1]["student"] if len(found) == most else None


_ONE_ALLOWANCE: Final = """
    SELECT id, asked_at, flight_id, student, currency, amount, until, asked_by, approved_by, approved_at,
           closed_by, closed_at, why, needs_second
    FROM receivables_public.credit_allowances WHERE id = :id
"""


async def allowance(tx: Tx, allowance_id: UUID) -> dict[str, Any] | None:
    """One flight that was allowed beyond a limit; None: there is none."""
    row = await tx.first(_ONE_ALLOWANCE, id=allowance_id)
    return dict(row._mapping) if row else None
