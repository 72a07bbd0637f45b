"""Flights on the wrong side of the day as of which opening balances were loaded, by their bills in force."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fleet.database import Tx

# The first bill is when a flight came: a correction, or its bill made anew in place, is no other flight.
_BILLED_BEFORE: Final = """
    SELECT currency, count(*) AS flights, CAST(sum(charge) AS bigint) AS charge,
           max(first.billed_at) AS newest, min(flight_id COLLATE "C") AS example
    FROM billing_public.bills
    CROSS JOIN LATERAL (SELECT min(of_flight.billed_at) AS billed_at FROM billing_public.bills AS of_flight
                        WHERE of_flight.flight_id = bills.flight_id) AS first
    WHERE in_force AND kind NOT IN ('cancelled', 'elsewhere') AND billed_on < :day
    GROUP BY currency ORDER BY currency
"""
_ELSEWHERE_SINCE: Final = """
    SELECT currency, count(*) AS flights, CAST(sum(charge) AS bigint) AS charge, max(billed_at) AS newest,
           min(flight_id COLLATE "C") AS example
    FROM billing_public.bills WHERE kind = 'elsewhere' AND billed_on >= :day
    GROUP BY currency ORDER BY currency
"""
_CHARGED: Final = """
    SELECT currency, count(*) AS flights, CAST(sum(charge) AS bigint) AS charge, max(billed_at) AS newest,
           min(flight_id COLLATE "C") AS example
    FROM billing_public.bills
    WHERE flight_id = ANY (CAST(:flight_ids AS text[])) AND in_force
      AND kind NOT IN ('cancelled', 'elsewhere')
    GROUP BY currency ORDER BY currency
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightsOfASide:
    """Flights in a currency. charge: minor units. newest: when the last came. example: the first id."""

    currency: str
    flights: int
    charge: int
    newest: datetime
    example: str


async def billed_before(tx: Tx, day: date) -> Sequence[FlightsOfASide]:
    """Flights of before the day that are charged here, also those that arrived late."""
    return [FlightsOfASide(**row._mapping) for row in await tx.all(_BILLED_BEFORE, day=day)]


async def elsewhere_since(tx: Tx, day: date) -> Sequence[FlightsOfASide]:
    """Flights of the day or later that other software is said to have billed."""
    return [FlightsOfASide(**row._mapping) for row in await tx.all(_ELSEWHERE_SINCE, day=day)]


async def charged_here(tx: Tx, flight_ids: Collection[str]) -> Sequence[FlightsOfASide]:
    """Those of these flights that are charged here."""
    return [FlightsOfASide(**row._mapping) for row in await tx.all(_CHARGED, flight_ids=list(flight_ids))]
