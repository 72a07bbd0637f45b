"""Every flight by its bill in force, in the order of their ids, some at a time; its lines when asked."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import orjson

from fleet.database import Tx

# Lines and facts are not among them: they are most of a bill, and few flights differ.
_DECLARE: Final = """
    DECLARE flights_in_order NO SCROLL CURSOR FOR
    SELECT flight_id, billed_on, student, instructor, aircraft, charge, margin, billed_tenths, hours_from,
           CAST(legs AS text) AS legs
    FROM billing_public.bills WHERE in_force AND kind <> 'cancelled'
    ORDER BY flight_id COLLATE "C"
"""
_FETCH: Final = "FETCH 2000 FROM flights_in_order"
_CLOSE: Final = "CLOSE flights_in_order"
_DETAILS: Final = """
    SELECT flight_id, CAST(lines AS text) AS lines, CAST(facts AS text) AS facts
    FROM billing_public.bills
    WHERE flight_id = ANY (CAST(:flight_ids AS text[])) AND in_force AND kind <> 'cancelled'
"""


class FiledFlight(NamedTuple):
    """A flight as it is billed. Amounts are minor units, hours tenths."""

    flight_id: str
    billed_on: date
    student: str
    instructor: str | None
    aircraft: str | None
    charge: int
    margin: int
    billed_tenths: int
    hours_from: str
    legs: str

    def leg_amounts(self) -> list[Mapping[str, Any]]:
        """wallet, kind and amount of each."""
        legs: list[Mapping[str, Any]] = orjson.loads(self.legs)
        return legs


class FlightDetails(NamedTuple):
    """What the bill of a flight was made of, as JSON."""

    lines: str
    facts: str


async def flights_in_order(tx: Tx) -> AsyncIterator[Sequence[FiledFlight]]:
    """The flights in the order of their ids' code points. `tx`: a transaction that is open for as long."""
    await tx.execute(_DECLARE)
    while rows := await tx.all(_FETCH):
        yield [FiledFlight._make(row) for row in rows]
    await tx.execute(_CLOSE)


async def details(tx: Tx, flight_ids: Collection[str]) -> dict[str, FlightDetails]:
    """Lines and facts of these flights' bills in force."""
    rows = await tx.all(_DETAILS, flight_ids=list(flight_ids))
    return {row.flight_id: FlightDetails(row.lines, row.facts) for row in rows}
