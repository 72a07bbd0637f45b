"""Every flight by its bill in force, in the order of their ids, some at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from fleet.database import Tx

_DECLARE: Final = """
    DECLARE flights_in_order NO SCROLL CURSOR FOR
    SELECT flight_id, billed_on, student, instructor, aircraft, charge, margin, billed_tenths, hours_from,
           CAST(legs AS text) AS legs, CAST(lines AS text) AS lines, CAST(facts AS text) AS facts
    FROM billing_public.bills WHERE in_force AND kind <> 'cancelled'
    ORDER BY flight_id COLLATE "C"
"""
_FETCH: Final = "FETCH 2000 FROM flights_in_order"
_CLOSE: Final = "CLOSE flights_in_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledFlight:
    """A flight as it is billed. Amounts are minor units, hours tenths; lines and facts: JSON."""

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
    lines: str
    facts: str

    def leg_amounts(self) -> list[Mapping[str, Any]]:
        """wallet, kind and amount of each."""
        legs: list[Mapping[str, Any]] = orjson.loads(self.legs)
        return legs


async def flights_in_order(tx: Tx) -> AsyncIterator[Sequence[FiledFlight]]:
    """The flights in the order of their ids' code points. `tx`: a transaction that is open for as long."""
    await tx.execute(_DECLARE)
    while rows := await tx.all(_FETCH):
        yield [FiledFlight(**row._mapping) for row in rows]
    await tx.execute(_CLOSE)
