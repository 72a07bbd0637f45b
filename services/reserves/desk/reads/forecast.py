"""What the forecast of the reserve is made of: published views of reserves and payouts only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fleet.database import Tx
from fleet.zones import time_zone
from services.reserves.domain.forecast import LIKE_WEEKDAYS, Coming, Due, Forecast, forecast, usual

PERIODS_CLOSE_AT: Final = time(2, 0)  # HOBBS_PERIOD_CLOSES_AT of payouts, unless it says otherwise
MEASURED: Final = timedelta(weeks=LIKE_WEEKDAYS)
LATEST: Final = timedelta(days=90)  # no money is pending for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What is supposed: no card payments but those that were made; a top-up at noon of a date."""

    without_payments: bool = False
    top_up: int = 0
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A forecast, and what it was made of. others: transfers that wait for something else, not counted."""

    currency: str
    zone: ZoneInfo
    minimum: int
    free: int
    read_at: datetime
    usual: dict[int, int]
    after: timedelta
    others: int
    others_amount: int
    ahead: Forecast


_STANDS = """
    SELECT reserve.currency, reserve.free, reserve.minimum, balance.read_at, school.time_zone,
           coalesce(policy.policy, '{}') AS policy
    FROM reserves_public.reserve
    JOIN reserves_public.balances AS balance USING (currency)
    CROSS JOIN reserves_public.school
    LEFT JOIN LATERAL (
        SELECT policy FROM reserves_public.policies
        WHERE effective_from <= CAST(:now AS timestamptz) AT TIME ZONE school.time_zone AND policy IS NOT NULL
        ORDER BY effective_from DESC LIMIT 1) AS policy ON true
    WHERE reserve.gate <> 'off' ORDER BY reserve.currency LIMIT 1
"""
_PENDING = """
    SELECT available_at AS at, sum(net)::bigint AS amount FROM reserves_public.stripe_lines
    WHERE day >= :since AND currency = :currency AND balance_type = 'payments' AND available_at > :now
    GROUP BY available_at ORDER BY available_at
"""
_PAID = """
    SELECT day, sum(net)::bigint AS amount FROM reserves_public.stripe_lines
    WHERE day >= :since AND currency = :currency AND balance_type = 'payments'
      AND type IN ('charge', 'payment')
    GROUP BY day
"""
_FIRST = "SELECT min(day) AS day FROM reserves_public.stripe_lines WHERE currency = :currency"
# When what a card paid can be sent: the median of the weeks that are measured.
_AFTER = """
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY available_at - made_at) AS after
    FROM reserves_public.stripe_lines
    WHERE day >= :since AND currency = :currency AND type IN ('charge', 'payment')
"""
# What was let out already is under way, and taken off what is free.
_HELD = """
    SELECT id::text AS name, wallet, amount, coalesce(due_at, created_at) AS at
    FROM payouts_public.transfers
    WHERE currency = :currency AND state = 'held' AND reason IN ('reserve', 'hold_period')
    ORDER BY created_at, id
"""
_OTHERS = """
    SELECT count(*) AS others, coalesce(sum(amount), 0)::bigint AS others_amount
    FROM payouts_public.transfers
    WHERE currency = :currency AND state = 'held'
      AND reason NOT IN ('reserve', 'hold_period', 'balance_insufficient')
"""
_PERIODS = """
    SELECT payee.wallet, payee.schedule, sum(payable.amount)::bigint AS amount
    FROM payouts_public.payees AS payee JOIN payouts_public.payables AS payable USING (wallet)
    WHERE payable.currency = :currency AND payable.transfer_id IS NULL AND payable.clawback_id IS NULL
      AND payee.schedule IN ('daily', 'weekly') AND payee.ready AND payee.removed_at IS NULL
    GROUP BY payee.wallet, payee.schedule, payee.minimum_amount
    HAVING sum(payable.amount) >= greatest(payee.minimum_amount, 1) ORDER BY payee.wallet
"""


async def look_ahead(tx: Tx, now: datetime, what_if: WhatIf) -> Looked | None:
    """Forecast what can be sent in the next days; None: the school keeps no reserve, or knows no balance."""
    stands = await tx.first(_STANDS, now=now)
    if stands is None:
        return None
    zone, currency = time_zone(stands.time_zone), stands.currency
    today = now.astimezone(zone).date()
    pattern, after = await _pattern(tx, currency, today)
    coming = [Coming(at=row.at, amount=row.amount) for row in await _pending(tx, currency, today, now)]
    if not what_if.without_payments:
        coming += _expected(pattern, after, today, zone)
    if what_if.top_up and what_if.on is not None:
        noon = datetime.combine(what_if.on, time(12), zone)
        coming.append(Coming(at=max(noon, now), amount=what_if.top_up))
    others = await tx.one(_OTHERS, currency=currency)
    due = await _due(tx, currency, now, zone, stands.policy)
    return Looked(
        currency=currency,
        zone=zone,
        minimum=stands.minimum,
        free=stands.free,
        read_at=stands.read_at,
        usual=pattern,
        after=after,
        others=others.others,
        others_amount=others.others_amount,
        ahead=forecast(now, stands.free, stands.minimum, coming, due),
    )


# What came above the forecast is positive; null: the day is not over, or nobody saw its end.
_PAST = """
    SELECT day, currency, free, free_came - free AS free_error, sent, sent_came - sent AS sent_error,
           payments, payments_came - payments AS payments_error, made_at, compared_at
    FROM reserves_public.forecasts ORDER BY day DESC, currency LIMIT 30
"""


async def past(tx: Tx) -> list[dict[str, Any]]:
    """What was forecast of the last days as each began, and by how much what came was above it."""
    return [dict(row._mapping) for row in await tx.all(_PAST)]


async def _pending(tx: Tx, currency: str, today: date, now: datetime) -> Iterable[Any]:
    return await tx.all(_PENDING, currency=currency, since=today - LATEST, now=now)


async def _pattern(tx: Tx, currency: str, today: date) -> tuple[dict[int, int], timedelta]:
    """What cards usually pay on each weekday, and how long after it can be sent."""
    since = today - MEASURED
    paid = {row.day: row.amount for row in await tx.all(_PAID, currency=currency, since=since)}
    first = (await tx.one(_FIRST, currency=currency)).day
    after = (await tx.one(_AFTER, currency=currency, since=since)).after
    return usual(paid, first or today, today), after or timedelta()


def _expected(pattern: dict[int, int], after: timedelta, today: date, zone: ZoneInfo) -> list[Coming]:
    """From tomorrow on: what is paid on a day is there when the day is over, and Stripe lets it be sent."""
    found = []
    for ahead in range(1, 15):
        day = today + timedelta(days=ahead)
        if amount := pattern[day.isoweekday()]:
            over = datetime.combine(day + timedelta(days=1), time(), zone)
            found.append(Coming(at=over + after, amount=amount, expected=True))
    return found


async def _due(tx: Tx, currency: str, now: datetime, zone: ZoneInfo, policy: dict[str, Any]) -> list[Due]:
    """What is held, the oldest first; then what payees on a schedule have earned, when their period ends."""
    below, exempt = policy.get("exempt_below", 0), frozenset(policy.get("exempt_wallets", ()))
    rows = [(row.name, row.wallet, row.amount, row.at) for row in await tx.all(_HELD, currency=currency)]
    for row in await tx.all(_PERIODS, currency=currency):
        ends = period_ends(now, zone, weekly=row.schedule == "weekly")
        rows.append((f"{row.schedule}:{row.wallet}", row.wallet, row.amount, ends))
    return [
        Due(
            name=name,
            wallet=wallet,
            amount=amount,
            at=max(at, now),
            exempt=amount < below or wallet.partition(":")[0] in exempt,
        )
        for name, wallet, amount, at in rows
    ]


def period_ends(now: datetime, zone: ZoneInfo, *, weekly: bool) -> datetime:
    """When payouts next closes a period: each night, or in the night to Monday."""
    local = now.astimezone(zone)
    day = local.date() if local.time() < PERIODS_CLOSE_AT else local.date() + timedelta(days=1)
    while weekly and day.isoweekday() != 1:
        day += timedelta(days=1)
    return datetime.combine(day, PERIODS_CLOSE_AT, zone)
