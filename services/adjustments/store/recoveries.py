"""SQL of lost disputes: which payment, what the student's money paid, and what is recovered of it.

Read from published views: of the ledger's millions of journals this service keeps none.
"""

from collections.abc import Collection
from typing import Final

from fleet.database import Tx
from fleet.zones import local_date
from services.adjustments.domain.flights import FirstBill
from services.adjustments.domain.recoveries import RECOVERED, Billed, Line, Lost

_CHARGE: Final = "SELECT charge_id FROM receivables_public.disputes WHERE dispute_id = :dispute"


async def charge_of(tx: Tx, dispute: str) -> str | None:
    """The payment that a dispute is about."""
    row = await tx.first(_CHARGE, dispute=dispute)
    return None if row is None else str(row.charge_id)


_LINES: Final = """
    SELECT source, amount FROM ledger_public.entries
    WHERE address = :wallet AND currency = :currency AND version < :version ORDER BY version
"""


async def lines_before(tx: Tx, lost: Lost) -> list[Line]:
    """The entries on the student's wallet before the loss, in the order of the ledger."""
    rows = await tx.all(_LINES, wallet=lost.student, currency=lost.currency, version=lost.version)
    return [Line(source=row.source, amount=row.amount) for row in rows]


_ENTRIES: Final = """
    SELECT source, address, currency, occurred_at, CAST(sum(amount) AS bigint) AS amount
    FROM ledger_public.entries WHERE source = ANY (CAST(:sources AS text[]))
    GROUP BY source, address, currency, occurred_at ORDER BY source, address
"""


async def billed(tx: Tx, flights: dict[str, str], zone: str) -> dict[str, Billed]:
    """The first bills of flights as the ledger posted them, by flight. flights: their journals' sources."""
    found: dict[str, dict[str, int]] = {}
    flown = {}
    for row in await tx.all(_ENTRIES, sources=sorted(flights.values())):
        found.setdefault(row.source, {})[row.address] = row.amount
        flown[row.source] = local_date(row.occurred_at, zone)
    return {
        flight: Billed(flight_id=flight, source=source, flown_on=flown[source], standing=found[source])
        for flight, source in flights.items()
        if source in found
    }


_OF_DISPUTES: Final = """
    SELECT flight_id, currency, first_source, first_entries FROM flight
    WHERE split_part(flight_id, '/', 1) = ANY (CAST(:disputes AS text[])) AND strpos(flight_id, '/') > 0
"""


async def of_disputes(tx: Tx, disputes: Collection[str]) -> dict[str, FirstBill]:
    """What was recovered of which flights, by the recovery's name; nothing is locked."""
    rows = await tx.all(_OF_DISPUTES, disputes=sorted(disputes))
    return {
        row.flight_id: FirstBill(currency=row.currency, source=row.first_source, entries=row.first_entries)
        for row in rows
    }


# One that was rejected, or given back, is none: what counts is the newest revision that stands or may.
_RECOVERED: Final = """
    SELECT substr(flight_id, strpos(flight_id, '/') + 1) AS flight FROM adjustment
    WHERE kind = 'recovered'
      AND substr(flight_id, strpos(flight_id, '/') + 1) = ANY (CAST(:flights AS text[]))
      AND state IN ('proposed', 'waiting', 'approved', 'posted', 'settling', 'settled')
    GROUP BY flight_id
    HAVING max(revision) = :recovered
        OR bool_or(revision > :recovered AND state IN ('proposed', 'waiting'))
"""


async def recovered(tx: Tx, flights: Collection[str]) -> frozenset[str]:
    """Which of these flights have payees who bear what a dispute took, or are to."""
    if not flights:
        return frozenset()
    rows = await tx.all(_RECOVERED, flights=sorted(flights), recovered=RECOVERED)
    return frozenset(row.flight for row in rows)
