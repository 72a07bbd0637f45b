"""Flights, corrections and cancellations handled one by one, and what is known of them after."""

from collections.abc import Awaitable, Callable
from typing import Any

from fleet import dead_letters
from fleet.database import Database
from fleet.envelope import Record
from services.billing.handlers import bill_flights, cancel_flights, correct_flights
from tests.integration.billing.given import events, rows
from tests.support.letters import open_letters

Handler = Callable[[Database, list[Record]], Awaitable[None]]
HANDLERS: dict[str, Handler] = {
    "flight.completed": bill_flights,
    "flight.corrected": correct_flights,
    "flight.cancelled": cancel_flights,
}
BILLS = "SELECT revision, charge, kind FROM bill ORDER BY flight_id, revision"
SHORTER: dict[str, Any] = {"hobbs_in": "1254.6", "flight_hours": "1.0", "dual_hours": "1.0"}


async def bills(db: Database) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await rows(db, BILLS)]


async def waiting(db: Database) -> list[tuple[Any, ...]]:
    sql = "SELECT revision, kind, billed_revision FROM billing_public.waiting_revisions ORDER BY revision"
    return [tuple(row.values()) for row in await rows(db, sql)]


async def take(db: Database, *records: Record) -> None:
    """Handle each record in a batch of its own."""
    for one in records:
        await HANDLERS[one.topic](db, [one])


async def revised(db: Database) -> list[tuple[Any, ...]]:
    """Revision, kind and what the student owes, of each event."""
    return [
        (
            told["revision"],
            told["kind"],
            sum(e["amount"] for e in told["entries"] if "student" in e["wallet"]),
        )
        for told in await events(db, "flight.revised")
    ]


async def redrive(db: Database) -> None:
    async with db.transaction() as tx:
        await dead_letters.redrive(tx, [letter.id for letter in await open_letters(tx)], who="finance")
