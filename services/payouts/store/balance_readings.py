"""SQL of the readings of the balance: with which count of what was let out each began, what it found."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from fleet.database import Tx, json_parameter
from services.payouts.domain.reserve_gate import BegunReading

# The update takes the gates' locks: nothing is let out between the count and the sum under way. The number is
# of the clock, so that a restored database gives no number twice (decision 0240).
_BEGIN = """
    WITH due AS (
        UPDATE reserve_gate SET read_due_at = :again
        WHERE watched AND read_due_at <= :now RETURNING currency, allowed_total
    ), next AS (
        SELECT greatest(coalesce(max(number), 0) + 1, CAST(:clock AS bigint)) AS number FROM balance_reading
    )
    INSERT INTO balance_reading (number, currency, begun_at, allowed_total, under_way)
    SELECT next.number, currency, :now, allowed_total,
           (SELECT coalesce(sum(amount), 0) FROM operation
            WHERE operation.currency = due.currency AND let_out_at IS NOT NULL
              AND state NOT IN ('succeeded', 'cancelled'))
    FROM due, next
    RETURNING number, currency, allowed_total, under_way
"""
_LOCK_DUE = """
    SELECT currency FROM reserve_gate WHERE watched AND read_due_at <= :now ORDER BY currency FOR UPDATE
"""


async def begin(tx: Tx, now: datetime, again: datetime) -> dict[str, BegunReading]:
    """Begin a reading when one is due: currency -> its number and counts. Nobody else reads until `again`."""
    if not await tx.all(_LOCK_DUE, now=now):
        return {}
    rows = await tx.all(_BEGIN, now=now, again=again, clock=int(now.timestamp() * 1000))
    return {row.currency: BegunReading(**row._mapping) for row in rows}


_FINISH = """
    UPDATE balance_reading SET available = found.available, pending = found.pending,
        connect_reserved = found.connect_reserved, answered_at = :now
    FROM jsonb_to_recordset(CAST(:found AS jsonb))
        AS found (currency text, available bigint, pending bigint, connect_reserved bigint)
    WHERE number = :number AND balance_reading.currency = found.currency
"""
# Another process may have asked for a reading while this one was under way: what moved then is not in it.
_PLAN = """
    UPDATE reserve_gate SET read_due_at = :at
    WHERE watched AND read_due_at = coalesce(CAST(:instead_of AS timestamptz), read_due_at)
"""
# Before the last one is too old to be believed.
_PLAN_NEXT = """
    UPDATE reserve_gate SET read_due_at = CAST(:now AS timestamptz) + least(:most, stale_after * 2 / 3)
    WHERE watched AND read_due_at = :instead_of
"""
_FORGET = """
    DELETE FROM balance_reading WHERE begun_at < CAST(:now AS timestamptz) - interval '7 days'
      AND number NOT IN (SELECT balance_number FROM reserve_gate)
"""


async def finish(
    tx: Tx,
    number: int,
    found: Mapping[str, Mapping[str, int]],
    now: datetime,
    most: timedelta,
    instead_of: datetime,
) -> None:
    """Keep what Stripe answered, and plan the next reading. Readings of a week ago are forgotten.

    instead_of: `again` of the beginning; a reading that was asked for meanwhile stays planned.
    """
    rows = [{"currency": currency, **amounts} for currency, amounts in found.items()]
    await tx.execute(_FINISH, number=number, found=json_parameter(rows), now=now)
    await tx.execute(_PLAN_NEXT, now=now, most=most, instead_of=instead_of)
    await tx.execute(_FORGET, now=now)


async def plan(tx: Tx, at: datetime, *, instead_of: datetime | None = None) -> None:
    """Read the balance next at that time; instead_of: only when it is still planned for then."""
    await tx.execute(_PLAN, at=at, instead_of=instead_of)


_SOON = """
    UPDATE reserve_gate SET read_due_at = soon.at
    FROM (SELECT greatest(CAST(:now AS timestamptz), max(begun_at) + CAST(:apart AS interval)) AS at
          FROM balance_reading) AS soon
    WHERE watched AND read_due_at > soon.at
"""


async def read_soon(tx: Tx, now: datetime, apart: timedelta) -> None:
    """Have the balance read, because money may have moved; readings stay `apart`."""
    await tx.execute(_SOON, now=now, apart=apart)


# A reading takes what is under way as if it were to come, though some of it may have left. When less is under
# way now, another reading may show more. A reading that is not answered yet is waited for.
_BEHIND = """
    SELECT last.number FROM balance_reading AS last
    WHERE currency = :currency AND answered_at IS NOT NULL
      AND number = (SELECT max(number) FROM balance_reading)
      AND (SELECT coalesce(sum(amount), 0) FROM operation
           WHERE operation.currency = last.currency AND let_out_at IS NOT NULL
             AND state NOT IN ('succeeded', 'cancelled')) < last.under_way
"""


async def is_behind(tx: Tx, currency: str) -> bool:
    """Whether less is under way than the last reading took off."""
    return await tx.first(_BEHIND, currency=currency) is not None
