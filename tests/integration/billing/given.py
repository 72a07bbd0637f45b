"""A configured school in a real database, and records of flights to bill."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from fleet.database import Database
from fleet.envelope import Record
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from schemas.school import SchoolChange, SchoolConfigured
from services.billing.handlers import bill_flights, cancel_flights, configure_school, correct_flights
from tests.support.records import record

SCHOOL = {"name": "S", "time_zone": "America/New_York", "currency": "USD"}
CHANGES: list[dict[str, Any]] = [
    {"kind": "school", "key": "school", "new": SCHOOL},
    {"kind": "tax", "key": "rental", "new": {"tax_ppm": 56_000}},
    {"kind": "student_rate", "key": "default", "new": {"flight_per_hour": 7000, "ground_per_hour": 6000}},
    {"kind": "instructor", "key": "instructor-01", "new": {"flight_per_hour": 4500, "ground_per_hour": 4000}},
    {"kind": "owner", "key": "owner-01", "new": {"country": "US"}},
    {"kind": "student", "key": "student-01", "new": {}},
    {
        "kind": "aircraft",
        "key": "N364MA",
        "new": {
            "model": "owned",
            "meter": "hobbs",
            "rate_per_hour": 16500,
            "owner": "owner-01",
            "owner_share_per_hour": 12000,
        },
    },
]  # fmt: skip
FLIGHT: dict[str, Any] = {
    "flight_id": "F123",
    "date": "2026-05-22",
    "departed_at": "2026-05-22T15:10:00Z",
    "arrived_at": "2026-05-22T16:45:00Z",
    "aircraft": "N364MA",
    "student": "student-01",
    "instructor": "instructor-01",
    "hobbs_out": "1253.6",
    "hobbs_in": "1254.9",
    "flight_hours": "1.3",
    "dual_hours": "1.5",
    "ground_hours": "0.5",
}


def configured(
    version: int, changes: Sequence[dict[str, Any]], *, base_version: int | None = None, **headers: Any
) -> Record:
    """A `school.configured` record."""
    event = SchoolConfigured(
        version=version,
        base_version=version - 1 if base_version is None else base_version,
        who="finance",
        why="a test",
        at=datetime(2026, 5, 1, tzinfo=UTC),
        changes=[
            SchoolChange.model_validate({"effective_from": "1900-01-01"} | change) for change in changes
        ],
    )
    return record("school.configured", event, **headers)


def completed(*, ce_id: str | None = None, **changes: Any) -> Record:
    """A `flight.completed` record of the design's worked flight, changed."""
    event = FlightCompleted.model_validate(FLIGHT | changes)
    return record("flight.completed", event, ce_id=ce_id, key=event.flight_id)


def corrected(revision: int = 2, *, ce_id: str | None = None, **changes: Any) -> Record:
    """A `flight.corrected` record: the worked flight as it was, but for the changes."""
    why = {"revision": revision, "reason": "digits swapped", "corrected_by": "dispatch"}
    event = FlightCorrected.model_validate(FLIGHT | why | changes)
    return record("flight.corrected", event, ce_id=ce_id, key=event.flight_id)


def cancelled(revision: int = 2, *, ce_id: str | None = None, **changes: Any) -> Record:
    """A `flight.cancelled` record of the worked flight."""
    why = {"revision": revision, "reason": "entered twice", "cancelled_by": "dispatch"}
    event = FlightCancelled.model_validate({"flight_id": FLIGHT["flight_id"]} | why | changes)
    return record("flight.cancelled", event, ce_id=ce_id, key=event.flight_id)


def solo(number: int, hobbs_out: str, hobbs_in: str, **changes: Any) -> Record:
    """A solo flight between two Hobbs readings."""
    alone = {"flight_hours": None, "instructor": None, "dual_hours": "0", "ground_hours": "0"}
    return completed(flight_id=f"S{number:04d}", hobbs_out=hobbs_out, hobbs_in=hobbs_in, **(alone | changes))


async def given_school(db: Database, *more: dict[str, Any]) -> None:
    """Configure the small school at version 1."""
    await configure_school(db, [configured(1, [*CHANGES, *more])])


async def given_billed(db: Database, *records: Record) -> None:
    """Bill the records in one batch."""
    await bill_flights(db, list(records))


async def given_corrected(db: Database, *records: Record) -> None:
    """Apply the corrections in one batch."""
    await correct_flights(db, list(records))


async def given_cancelled(db: Database, *records: Record) -> None:
    """Apply the cancellations in one batch."""
    await cancel_flights(db, list(records))


async def rows(db: Database, sql: str, **params: Any) -> list[dict[str, Any]]:
    """Rows of a query, as mappings."""
    async with db.transaction() as tx:
        return [dict(row._mapping) for row in await tx.all(sql, **params)]


async def letters(db: Database) -> list[tuple[str, str]]:
    """Subject and reason of every dead letter."""
    found = await rows(db, "SELECT subject, reason FROM dead_letter ORDER BY subject, reason")
    return [(row["subject"], row["reason"]) for row in found]


async def events(db: Database, topic: str) -> list[dict[str, Any]]:
    """The bodies of what is staged for a topic, in order."""
    found = await rows(db, "SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
    return [orjson.loads(row["value"]) for row in found]


async def staged(db: Database) -> list[tuple[str, str]]:
    """Topic and key of what flights left in the outbox, in order; the book's own events aside."""
    found = await rows(
        db,
        "SELECT topic, convert_from(key, 'UTF8') AS key FROM outbox "
        "WHERE topic <> 'school.accepted' ORDER BY id",
    )
    return [(row["topic"], row["key"]) for row in found]
