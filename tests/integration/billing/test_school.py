"""Versions of the school's book, applied whole, in order, once."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from fleet.decisions import Decision, Person
from fleet.envelope import uuid7
from fleet.invariants import Invariant, parse
from services.billing.desk import decisions
from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    CHANGES,
    SCHOOL,
    cancelled,
    completed,
    configured,
    corrected,
    given_billed,
    given_cancelled,
    given_corrected,
    given_school,
    letters,
    rows,
    solo,
)

STUDENT: dict[str, Any] = {"kind": "student", "key": "student-02", "new": {"also_owner": "o2"}}
BOOK = "SELECT version FROM book"


async def version(db: Database) -> int:
    return int((await rows(db, BOOK))[0]["version"])


async def reasons(db: Database) -> list[str]:
    return [reason for _, reason in await letters(db)]


async def test_a_version_is_applied_whole_with_who_when_why_old_and_new(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db, STUDENT)
    await configure_school(
        db, [configured(2, [STUDENT | {"old": {"also_owner": "a-lie"}, "new": {"also_owner": "o3"}}])]
    )
    history = await rows(
        db,
        "SELECT version, who, why, old, new FROM billing_public.card_history"
        " WHERE kind = 'student' AND key = 'student-02' ORDER BY version",
    )
    assert [tuple(row.values()) for row in history] == [
        (1, "finance", "a test", None, {"also_owner": "o2"}),
        (2, "finance", "a test", {"also_owner": "o2"}, {"also_owner": "o3"}),
    ]


@pytest.mark.parametrize(("made_from", "number"), [(0, 1), (0, 2), (2, 3), (5, 6), (1, 3)])
async def test_a_version_made_from_another_than_the_one_in_force_is_refused(
    open_db: OpenDatabase, made_from: int, number: int
) -> None:
    db = open_db("billing")
    await given_school(db)
    await configure_school(db, [configured(number, [STUDENT], base_version=made_from)])
    assert await version(db) == 1
    assert await reasons(db) == ["stale_version"]


async def test_of_two_operators_with_the_same_base_one_is_refused(open_db: OpenDatabase) -> None:
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    changes = [STUDENT | {"new": {"also_owner": name}} for name in ("mine", "theirs")]
    await asyncio.gather(
        configure_school(db, [configured(2, [changes[0]])]),
        configure_school(other, [configured(2, [changes[1]])]),
    )
    assert await version(db) == 2
    assert await reasons(db) == ["stale_version"]


async def test_a_version_received_again_changes_nothing(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    once = configured(1, CHANGES)
    await configure_school(db, [once, once])
    await configure_school(db, [once])
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM inbox")
    await configure_school(db, [once])
    assert await version(db) == 1
    assert await reasons(db) == []


async def test_versions_of_one_batch_follow_each_other(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await configure_school(db, [configured(1, CHANGES), configured(2, [STUDENT]), configured(3, [STUDENT])])
    assert await version(db) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "aircraft", "key": "N1", "new": {"model": "owned", "meter": "hobbs"}},
        {"kind": "tax", "key": "rent", "new": {"tax_ppm": 1}},
        {"kind": "student_rate", "key": "club:1", "new": {"flight_per_hour": 1}},
        {"kind": "school", "key": "school", "new": SCHOOL | {"time_zone": "Mars/Base"}},
        {"kind": "school", "key": "other", "new": SCHOOL},
        {"kind": "school", "key": "school", "effective_from": "2026-01-01", "new": SCHOOL},
        {"kind": "school", "key": "school", "new": None},
    ],
)
async def test_a_card_that_cannot_be_priced_by_refuses_the_whole_version(
    open_db: OpenDatabase, change: dict[str, Any]
) -> None:
    db = open_db("billing")
    await given_school(db)
    await configure_school(db, [configured(2, [STUDENT, change])])
    assert await version(db) == 1
    assert await reasons(db) == ["invalid_card"]


async def test_a_card_changed_twice_in_one_version_is_refused(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await configure_school(db, [configured(2, [STUDENT, STUDENT])])
    assert await reasons(db) == ["invalid_card"]


async def test_the_currency_stays_once_there_are_bills(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    euro = {"kind": "school", "key": "school", "new": SCHOOL | {"currency": "EUR"}}
    dollar = {"kind": "school", "key": "school", "new": SCHOOL}
    await configure_school(db, [configured(2, [euro]), configured(3, [dollar])])
    assert await version(db) == 3
    await given_billed(db, completed())
    await configure_school(db, [configured(4, [euro])])
    assert await version(db) == 3
    assert await reasons(db) == ["currency_changed"]


async def test_a_withdrawn_card_is_in_force_no_more_and_may_come_back(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    aircraft = CHANGES[-1]
    await configure_school(db, [configured(2, [aircraft | {"new": None}])])
    await given_billed(db, completed())
    assert await reasons(db) == ["unknown_aircraft"]
    await configure_school(db, [configured(3, [aircraft])])
    await given_billed(db, completed(flight_id="F124"))
    assert len(await rows(db, "SELECT id FROM bill")) == 1


async def test_a_flight_is_priced_by_the_card_in_force_on_its_day(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    dearer = CHANGES[-1] | {
        "effective_from": "2026-05-22",
        "new": CHANGES[-1]["new"] | {"rate_per_hour": 20000},
    }
    await given_school(db, dearer)
    before = {"departed_at": "2026-05-22T03:59:59Z", "arrived_at": None}  # 23:59 in New York the day before
    after = {"departed_at": "2026-05-22T04:00:00Z", "arrived_at": None}
    await given_billed(db, solo(1, "100.0", "101.0", **before), solo(2, "101.0", "102.0", **after))
    bills = await rows(db, "SELECT billed_on::text, charge FROM bill ORDER BY flight_id")
    assert [tuple(bill.values()) for bill in bills] == [("2026-05-21", 17424), ("2026-05-22", 21120)]


async def test_a_bill_names_the_version_that_priced_it(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await configure_school(db, [configured(2, [STUDENT])])
    await given_billed(db, completed())
    (bill,) = await rows(db, "SELECT school_version, rates FROM bill")
    assert bill["school_version"] == 2
    assert {"kind": "tax", "key": "rental", "effective_from": "1900-01-01", "version": 1} in bill["rates"]


def own_invariants() -> list[Invariant]:
    text = (Path(__file__).parents[3] / "services" / "billing" / "invariants.sql").read_text(encoding="utf-8")
    return list(parse("billing", text))


async def test_every_invariant_of_billing_holds_on_a_used_book_and_can_fail(
    open_db: OpenDatabase, database_url: str
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(), solo(1, "100.0", "101.0"), solo(2, "102.0", "102.0"))
    await configure_school(db, [configured(2, [STUDENT]), configured(3, [STUDENT | {"new": None}])])
    await given_corrected(db, corrected(2), corrected(2, flight_id="F9"))
    await given_cancelled(db, cancelled(3))
    invariants = own_invariants()
    for invariant in invariants:
        assert await rows(db, invariant.sql) == [], invariant.name
    broken = await _broken(database_url)
    assert broken == {invariant.name for invariant in invariants}


_BREAK = """
    ALTER TABLE bill DROP CONSTRAINT charge_less_legs_is_margin;
    UPDATE bill SET margin = margin + 1, school_version = 1, hours_from = 'tach',
                    rates = '[{"kind": "tax", "key": "fuel", "effective_from": "1900-01-01", "version": 9}]';
    UPDATE bill SET corrects = (SELECT id FROM bill WHERE flight_id = 'S0001') WHERE revision = 2;
    UPDATE waiting_revision SET flight_id = 'F123';
    INSERT INTO cancelled_flight (flight_id, revision, fingerprint, reason, made_by)
    VALUES ('F123', 2, '', '', '');
    UPDATE book SET version = 1;
    UPDATE card_version SET old = '{}' WHERE version = 1;
    INSERT INTO rate_proposal (id, kind, key, effective_from, old, new, proposed_by, why, proposed_at, state,
                               decided_by, decided_at, version)
    VALUES (gen_random_uuid(), 'aircraft', 'N364MA', '2026-01-01', '{}', '{"rate_per_hour": 1}', 'ann', 'why',
            now(), 'approved', 'bea', now(), 99);
"""


async def _broken(owner_url: str) -> set[str]:
    """Break the tables as their owner can, and see which invariants notice."""
    import asyncpg

    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("SET search_path = billing")
        await connection.execute(_BREAK)
        return {invariant.name for invariant in own_invariants() if await connection.fetch(invariant.sql)}
    finally:
        await connection.close()


async def test_the_whole_book_is_told_again_as_the_same_events(open_db: OpenDatabase) -> None:
    """A reader that is new gets it; who has read it knows the events already."""
    db = open_db("billing")
    await given_school(db, STUDENT)
    await configure_school(db, [configured(2, [STUDENT | {"new": {"also_owner": "o3"}}])])
    wanted = (
        "SELECT value, raw_headers ->> 'ce_id' AS event FROM outbox"
        " WHERE topic = 'school.accepted' ORDER BY id"
    )
    before = [(row["event"], json.loads(bytes(row["value"]))) for row in await rows(db, wanted)]
    decision = Decision(
        decision_id=uuid7(),
        action="tell",
        object="school",
        parameters={},
        who=Person(name="ann", roles=frozenset({"operator"}), channel="test"),
        why="old records were deleted",
        dry_run=False,
        requested_at=datetime.now(UTC),
    )
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
        ruling = await decisions.tell(tx, decision, datetime.now(UTC))
    assert (ruling.done, ruling.sentence) == (True, "2 versions of the book are told again")
    after = [(row["event"], json.loads(bytes(row["value"]))) for row in await rows(db, wanted)]
    for told in (before, after):  # of one version the cards may come in any order
        for _, event in told:
            event["changes"].sort(key=lambda change: (change["kind"], change["key"]))
    assert after == before
