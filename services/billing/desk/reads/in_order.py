"""Every flight by its bill in force, in the order of their ids, some at a time; its lines when asked."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import orjson

from fleet.database import Tx

# Amounts only: the rest is most of a bill, and few flights differ.
_DECLARE: Final = """
    DECLARE flights_in_order NO SCROLL CURSOR FOR
    SELECT flight_id, student, charge, margin, CAST(legs AS text) AS legs
    FROM billing_public.bills WHERE in_force AND kind NOT IN ('cancelled', 'elsewhere')
    ORDER BY flight_id COLLATE "C"
"""
_FETCH: Final = "FETCH 2000 FROM flights_in_order"
_NOW: Final = "SELECT clock_timestamp() AS now"
_SINCE: Final = "SELECT DISTINCT flight_id FROM billing_public.bills WHERE billed_at >= :since"
_ELSEWHERE: Final = """
    SELECT flight_id FROM billing_public.bills
    WHERE flight_id = ANY (CAST(:flight_ids AS text[])) AND in_force AND kind = 'elsewhere'
"""
_CLOSE: Final = "CLOSE flights_in_order"
_DETAILS: Final = """
    SELECT flight_id, billed_on, instructor, aircraft, billed_tenths, hours_from,
           CAST(lines AS text) AS lines, CAST(facts AS text) AS facts
    FROM billing_public.bills
    WHERE flight_id = ANY (CAST(:flight_ids AS text[])) AND in_force
      AND kind NOT IN ('cancelled', 'elsewhere')
"""


class FiledFlight(NamedTuple):
    """What a flight is billed: amounts in minor units, legs as JSON."""

    flight_id: str
    student: str
    charge: int
    margin: int
    legs: str

    def leg_amounts(self) -> list[Mapping[str, Any]]:
        """wallet, kind and amount of each."""
        legs: list[Mapping[str, Any]] = orjson.loads(self.legs)
        return legs


class FlightDetails(NamedTuple):
    """What the bill of a flight was made of; hours are tenths, lines and facts JSON."""

    billed_on: date
    instructor: str | None
    aircraft: str | None
    billed_tenths: int
    hours_from: str
    lines: str
    facts: str


async def flights_in_order(tx: Tx) -> AsyncIterator[Sequence[FiledFlight]]:
    """The flights in the order of their ids' code points. `tx`: a transaction that is open for as long."""
    await tx.execute(_DECLARE)
    while rows := await tx.all(_FETCH):
        yield [FiledFlight._make(row) for row in rows]
    await tx.execute(_CLOSE)


async def clock(tx: Tx) -> datetime:
    """What time it is at the database, which writes when a bill was written."""
    now: datetime = (await tx.one(_NOW)).now
    return now


async def billed_since(tx: Tx, since: datetime) -> set[str]:
    """The flights of which a bill, also of a cancellation, was written then or later."""
    return {row.flight_id for row in await tx.all(_SINCE, since=since)}


async def billed_elsewhere(tx: Tx, flight_ids: Collection[str]) -> set[str]:
    """Those of these flights that other software billed."""
    return {row.flight_id for row in await tx.all(_ELSEWHERE, flight_ids=list(flight_ids))}


async def details(tx: Tx, flight_ids: Collection[str]) -> dict[str, FlightDetails]:
    """Lines and facts of these flights' bills in force."""
    rows = await tx.all(_DETAILS, flight_ids=list(flight_ids))
    return {row[0]: FlightDetails._make(row[1:]) for row in rows}
