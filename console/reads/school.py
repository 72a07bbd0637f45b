"""The school's name, zone and currency, and the figures of the first page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from console.reads.people import names
from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """What every page says of the school."""

    name: str
    zone: str
    currency: str
    people: Mapping[str, str] = field(default_factory=dict)  # names by wallet
    opened: bool = True  # its file was applied


_SCHOOL: Final = """
    SELECT document ->> 'name' AS name, document ->> 'time_zone' AS zone, document ->> 'currency' AS currency
    FROM billing_public.cards WHERE kind = 'school' ORDER BY effective_from DESC, version DESC LIMIT 1
"""


async def school(tx: Tx) -> School:
    """The school as billing has it; before there is one, UTC and dollars."""
    row = await tx.first(_SCHOOL)
    if row is None:
        return School(name="No school yet", zone="UTC", currency="USD", opened=False)
    return School(
        name=row.name or "School",
        zone=row.zone or "UTC",
        currency=row.currency or "USD",
        people=await names(tx),
    )


_BALANCES: Final = """
    SELECT currency,
           coalesce(-sum(balance) FILTER (WHERE kind = 'student' AND balance < 0), 0)::bigint AS students_owe,
           coalesce(sum(balance) FILTER (WHERE kind = 'student' AND balance > 0), 0)::bigint
               AS students_ahead,
           coalesce(sum(balance) FILTER (WHERE kind IN ('instructor', 'aircraft_owner') AND balance > 0), 0)
               ::bigint AS owed_to_payees,
           (-sum(balance) FILTER (WHERE address = 'external:stripe'))::bigint AS at_stripe
    FROM ledger_public.wallets GROUP BY currency ORDER BY currency
"""
_MONEY_IN: Final = """
    SELECT currency, count(*) AS payments, sum(amount)::bigint AS amount
    FROM receivables_public.payments
    WHERE received_at >= :since AND received_at < :until GROUP BY currency ORDER BY currency
"""


async def balances(tx: Tx) -> list[dict[str, Any]]:
    """For each currency: what students owe and have paid ahead, what payees are owed, what Stripe holds.

    `at_stripe` is None as long as no money came in at Stripe: that wallet is not there then.
    """
    return [dict(row._mapping) for row in await tx.all(_BALANCES)]


async def money_in(tx: Tx, *, since: Any, until: Any) -> list[dict[str, Any]]:
    """Card payments received between two instants, by currency."""
    return [dict(row._mapping) for row in await tx.all(_MONEY_IN, since=since, until=until)]


# All bills less superseded ones: to ask each whether it is in force takes three times as long.
_DAYS: Final = """
    SELECT billed_on AS day, currency, sum(flights)::bigint AS flights, sum(charge)::bigint AS charged,
           sum(margin)::bigint AS margin
    FROM (
        SELECT billed_on, currency, 1 AS flights, charge, margin FROM billing_public.bills
        WHERE kind <> 'cancelled' AND billed_on >= :since AND billed_on < :until
        UNION ALL
        SELECT billed_on, currency, -1, -charge, -margin FROM billing_public.bills
        WHERE kind <> 'cancelled' AND billed_on >= :since AND billed_on < :until AND NOT in_force
          AND flight_id IN (SELECT corrected.flight_id FROM billing_public.bills AS corrected
                            WHERE corrected.corrects IS NOT NULL)
    ) AS bill
    GROUP BY billed_on, currency HAVING sum(flights) <> 0 ORDER BY billed_on, currency
"""
_NEWEST: Final = "SELECT max(billed_on) AS day FROM billing_public.bills"


async def days(tx: Tx, *, since: Any, until: Any) -> list[dict[str, Any]]:
    """Flights, charge and margin of bills in force on each day, by currency; `until` excluded."""
    return [dict(row._mapping) for row in await tx.all(_DAYS, since=since, until=until)]


async def newest_day(tx: Tx) -> Any:
    """The latest day with a bill; None before the first."""
    return (await tx.one(_NEWEST)).day


_WAITING: Final = """
    SELECT 'corrections' AS what, count(*) AS number, min(proposed_at) AS oldest
    FROM adjustments_public.adjustments WHERE state = 'waiting'
    UNION ALL
    SELECT 'failed', count(*), min(changed_at) FROM adjustments_public.adjustments WHERE state = 'failed'
    UNION ALL
    SELECT 'settlements', count(*), min(begun_at) FROM adjustments_public.settlements WHERE state = 'waiting'
    UNION ALL
    SELECT 'parked', count(*), min(created_at) FROM payouts_public.transfers WHERE state = 'parked'
    UNION ALL
    SELECT 'refused', count(*), min(created_at) FROM payouts_public.transfers WHERE state = 'refused'
    UNION ALL
    SELECT 'held', count(*), min(created_at) FROM payouts_public.transfers WHERE state = 'held'
    UNION ALL
    SELECT 'not_ready', count(*), min(configured_at) FROM payouts_public.payees
    WHERE removed_at IS NULL AND NOT ready
    UNION ALL
    SELECT 'unallocated', count(*), min(queued_at) FROM receivables_public.unallocated_payments
    WHERE allocated_at IS NULL
    UNION ALL
    SELECT 'unexplained', count(*), min(noted_at) FROM payouts_public.movements
    WHERE standing = 'unexplained' AND closed_at IS NULL
    UNION ALL
    SELECT 'refused_flights', count(*), min(first_seen_at) FROM billing_public.refused_flights
    UNION ALL
    SELECT 'rates', count(*), min(proposed_at) FROM billing_public.rate_proposals WHERE state = 'waiting'
    UNION ALL
    SELECT 'reserve_alerts', count(*), min(raised_at) FROM reserves_public.alerts
    WHERE resolved_at IS NULL AND acknowledged_at IS NULL
    UNION ALL
    SELECT 'openings', count(*), min(asked_at) FROM reserves_public.openings
    WHERE needs_second AND approved_at IS NULL AND closed_at IS NULL AND until > now()
    UNION ALL
    SELECT 'breaks', count(*), min(opened_at) FROM reserves_public.breaks
    WHERE state = 'open' AND class <> 'timing'
    UNION ALL
    SELECT 'mismatches', number, oldest FROM reserves_public.open_mismatches()
    UNION ALL
    SELECT 'calls', count(*), min(step.at)
    FROM (SELECT student, run, min(at) AS at FROM receivables_public.dunning_history
          WHERE what = 'step' AND action IN ('call', 'collection') GROUP BY student, run) AS step
    JOIN receivables_public.dunning_cases AS known ON known.student = step.student AND known.run = step.run
    WHERE known.overdue_since IS NOT NULL AND known.hold IS NULL
    UNION ALL
    SELECT 'allowances', count(*), min(asked_at) FROM receivables_public.credit_allowances
    WHERE needs_second AND approved_at IS NULL AND closed_at IS NULL AND until > now()
    UNION ALL
    SELECT 'limit_changes', count(*), min(proposed_at) FROM receivables_public.limit_changes
    WHERE state IN ('proposed', 'waits')
    UNION ALL
    SELECT 'notes', count(*), min(asked_at) FROM receivables_public.account_notes WHERE state = 'waits'
    UNION ALL
    SELECT 'disputes', count(*), min(opened_at) FROM receivables_public.disputes WHERE outcome IS NULL
"""


async def waiting(tx: Tx) -> dict[str, dict[str, Any]]:
    """What waits for a person: of each kind how many, and since when the oldest."""
    return {row.what: {"number": row.number, "oldest": row.oldest} for row in await tx.all(_WAITING)}


_STRIPE: Final = (
    "SELECT livemode, key_livemode, api_base, api_version, seen_at FROM payouts_public.stripe_mode"
)


async def stripe(tx: Tx) -> dict[str, Any] | None:
    """Which Stripe payouts works with, and whether its money is real; None before it has asked."""
    row = await tx.first(_STRIPE)
    return dict(row._mapping) if row and row.seen_at else None
