"""Corrections and cancellations in, bills that correct bills and `flight.revised` out, on a real database."""

from typing import Any

from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    completed,
    corrected,
    events,
    given_billed,
    given_corrected,
    given_school,
    letters,
    rows,
    staged,
)

BILLS = "SELECT revision, charge, kind FROM bill ORDER BY flight_id, revision"
FIRST = [
    {"wallet": "student:student-01", "amount": -36151},
    {"wallet": "instructor:instructor-01", "amount": 8750},
    {"wallet": "aircraft_owner:owner-01", "amount": 15600},
    {"wallet": "liability:tax", "amount": 1201},
    {"wallet": "platform:school", "amount": 10600},
]


async def bills(db: Database) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await rows(db, BILLS)]


async def test_a_correction_is_priced_whole_and_told_with_the_first_bill(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await given_corrected(db, corrected(hobbs_in="1254.6", flight_hours="1.0", dual_hours="1.0"))
    assert await bills(db) == [(1, 36151, "completed"), (2, 27424, "corrected")]
    (told,) = await events(db, "flight.revised")
    assert told | {"bill_id": "-"} == {
        "flight_id": "F123",
        "revision": 2,
        "kind": "corrected",
        "bill_id": "-",
        "currency": "USD",
        "first_source": "flight:F123:1",
        "first_entries": FIRST,
        "entries": [
            {"wallet": "student:student-01", "amount": -27424},
            {"wallet": "instructor:instructor-01", "amount": 6500},
            {"wallet": "aircraft_owner:owner-01", "amount": 12000},
            {"wallet": "liability:tax", "amount": 924},
            {"wallet": "platform:school", "amount": 8000},
        ],
        "student_before": "student-01",
        "student": "student-01",
        "flown_on": "2026-05-22",
        "occurred_at": "2026-05-22T16:45:00Z",
        "priced_by": "bill",
        "reason": "digits swapped",
        "made_by": "dispatch",
    }
    assert await letters(db) == []
    assert [topic for topic, _ in await staged(db)] == [
        "flight.billed",
        "journal.requested",
        "flight.revised",
    ]
