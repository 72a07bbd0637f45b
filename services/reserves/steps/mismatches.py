"""Compare flights three ways: meters and bills, bills and books, books and payees."""

from datetime import date, datetime, time

from fleet.database import Database, Tx
from fleet.zones import time_zone
from services.reserves import store
from services.reserves.domain import mismatches
from services.reserves.domain.mismatches import LOOKED_AT, PAID_WITHIN, SETTLES_WITHIN, Found


async def match_flights(db: Database, day: date, *, now: datetime) -> None:
    """Compare the flights of the days before this one, in one snapshot and one commit."""
    async with db.transaction() as tx:
        await compare(tx, day, now)


async def compare(tx: Tx, day: date, now: datetime) -> list[Found]:
    """Keep what does not agree of the flights of the days until this one; close what agrees by now.

    What is only on its way, a journal a minute after its bill, is no mismatch yet.
    """
    zone = await store.days.time_zone(tx)
    since, before = day - LOOKED_AT, now - SETTLES_WITHIN
    begins = datetime.combine(since, time(), time_zone(zone))
    found = [mismatches.of_reading(one) for one in await store.mismatches.readings(tx, since)]
    found += map(mismatches.of_bill, await store.mismatches.bills_without_a_journal(tx, since, before))
    found += map(
        mismatches.of_journal, await store.mismatches.journals_without_a_bill(tx, begins, before, zone)
    )
    owed = await store.mismatches.owed(tx, since, begins, before=before, overdue=now - PAID_WITHIN)
    found += [differs for one in owed if (differs := mismatches.of_owed(one))]
    await store.mismatches.keep(tx, found, since, now)
    return found
