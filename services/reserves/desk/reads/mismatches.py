"""Flights that do not agree, from `reserves_public`."""

from typing import Any, Final

from fleet.database import Tx

_LIST: Final = """
    SELECT id AS mismatch, kind, aircraft, flight_id AS flight, wallet, day, tenths, amount, currency, state,
           sentence, reason, reason_by, reason_at, found_at, closed_at
    FROM reserves_public.mismatches
    WHERE (:every OR state = 'open') AND (CAST(:aircraft AS text) IS NULL OR aircraft = :aircraft)
    ORDER BY day, id OFFSET :skip LIMIT :most
"""


async def mismatches(
    tx: Tx, *, every: bool, aircraft: str | None, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Mismatches, the oldest first. every: also explained ones and those that are over."""
    rows = await tx.all(_LIST, every=every, aircraft=aircraft, most=most, skip=skip)
    return [dict(row._mapping) for row in rows]


_BY_AIRCRAFT: Final = """
    SELECT aircraft, kind, currency, count(*) AS number, count(*) FILTER (WHERE state = 'open') AS open,
           sum(tenths)::bigint AS tenths, sum(amount)::bigint AS amount,
           min(day) AS first_day, max(day) AS last_day
    FROM reserves_public.mismatches WHERE aircraft IS NOT NULL
    GROUP BY aircraft, kind, currency ORDER BY sum(amount) DESC, aircraft, kind, currency
"""


async def by_aircraft(tx: Tx) -> list[dict[str, Any]]:
    """How often and for how much money the flights of each aircraft did not agree, the dearest first."""
    return [dict(row._mapping) for row in await tx.all(_BY_AIRCRAFT)]


_ONE: Final = """
    SELECT id AS mismatch, kind, aircraft, flight_id AS flight, wallet, day, tenths, amount, currency, state,
           sentence, reason, reason_by, reason_at, found_at, closed_at
    FROM reserves_public.mismatches WHERE id = :id
"""


async def one(tx: Tx, id: int) -> dict[str, Any] | None:
    """A mismatch by its number."""
    row = await tx.first(_ONE, id=id)
    return None if row is None else dict(row._mapping)
