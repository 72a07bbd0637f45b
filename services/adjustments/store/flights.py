"""SQL of flights that were corrected. A flight's row locks everything about it, and is locked first."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.adjustments.domain.flights import FirstBill
from services.adjustments.domain.manual import BilledElsewhere

_KNOW: Final = """
    INSERT INTO flight (flight_id, currency, first_source, first_entries)
    SELECT flight_id, currency, first_source, first_entries
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        flight_id text, currency text, first_source text, first_entries jsonb)
    ORDER BY flight_id
    ON CONFLICT (flight_id) DO NOTHING
"""


async def know(tx: Tx, bills: Mapping[str, FirstBill]) -> None:
    """Insert the flights that are not there yet; by flight id, the first bill."""
    rows = [
        {
            "flight_id": flight_id,
            "currency": bill.currency,
            "first_source": bill.source,
            "first_entries": dict(bill.entries),
        }
        for flight_id, bill in bills.items()
    ]
    await tx.execute(_KNOW, rows=json_parameter(rows))


_LOCK: Final = """
    SELECT flight_id, currency, first_source, first_entries FROM flight
    WHERE flight_id = ANY (CAST(:flights AS text[])) ORDER BY flight_id FOR UPDATE
"""


async def lock(tx: Tx, flights: Collection[str]) -> dict[str, FirstBill]:
    """Lock flights, in one order for everybody; their first bills."""
    return {row.flight_id: _bill(row) for row in await tx.all(_LOCK, flights=sorted(flights))}


_LOCK_FREE: Final = """
    SELECT flight_id, currency, first_source, first_entries FROM flight
    WHERE flight_id = ANY (CAST(:flights AS text[])) ORDER BY flight_id FOR UPDATE SKIP LOCKED
"""


async def lock_free(tx: Tx, flights: Sequence[str]) -> dict[str, FirstBill]:
    """Lock those of these flights that nobody else has locked."""
    return {row.flight_id: _bill(row) for row in await tx.all(_LOCK_FREE, flights=sorted(flights))}


_ELSEWHERE: Final = """
    SELECT flight_id, student, currency, billed_on FROM billing_public.bills
    WHERE flight_id = :flight AND kind = 'elsewhere'
"""


async def billed_elsewhere(tx: Tx, flight_id: str) -> BilledElsewhere | None:
    """A flight that other software billed, from billing's view; None: there is none of that name."""
    row = await tx.first(_ELSEWHERE, flight=flight_id)
    return None if row is None else BilledElsewhere(**row._mapping)


def _bill(row: Row[Any]) -> FirstBill:
    return FirstBill(currency=row.currency, source=row.first_source, entries=row.first_entries)
