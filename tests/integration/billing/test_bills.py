"""Flights in, bills and journal requests out, on a real database."""

import asyncio
import json
from contextvars import Context
from itertools import permutations
from typing import Any

import orjson
import pytest

from fleet import dead_letters
from fleet.database import Database
from fleet.envelope import Record, uuid7
from services.billing import store, wire
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill
from services.billing.handlers import bill_flights, configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    CHANGES,
    FLIGHT,
    completed,
    configured,
    given_billed,
    given_school,
    letters,
    rows,
    solo,
    staged,
)
from tests.support.letters import open_letters
from tests.support.records import record

BILLS = "SELECT flight_id, revision, charge, margin, hours_from FROM bill ORDER BY flight_id"


async def test_a_flight_is_billed_and_its_journal_requested(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    assert await rows(db, BILLS) == [
        {"flight_id": "F123", "revision": 1, "charge": 36151, "margin": 10600, "hours_from": "hobbs"}
    ]
    assert await staged(db) == [("flight.billed", "F123"), ("journal.requested", "flight:F123:1")]
    (body,) = await rows(
        db, "SELECT convert_from(value, 'UTF8') AS body FROM outbox WHERE topic = 'journal.requested'"
    )
    assert orjson.loads(body["body"]) == {
        "source": "flight:F123:1",
        "event_type": "flight",
        "currency": "USD",
        "occurred_at": "2026-05-22T16:45:00Z",
        "memo": "flight F123",
        "moves": None,
        "entries": [
            {"wallet": "student:student-01", "amount": -36151},
            {"wallet": "instructor:instructor-01", "amount": 8750},
            {"wallet": "aircraft_owner:owner-01", "amount": 15600},
            {"wallet": "liability:tax", "amount": 1201},
            {"wallet": "platform:school", "amount": 10600},
        ],
    }


async def test_a_replayed_flight_bills_nobody_twice(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    once = completed()
    await given_billed(db, once, once)
    await given_billed(db, once)
    await given_billed(db, completed())  # the same content as a new event
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM inbox")
    await given_billed(db, once)
    assert len(await rows(db, BILLS)) == 1
    assert len(await staged(db)) == 2
    assert await letters(db) == []


async def test_other_content_under_a_billed_revision_is_a_dead_letter(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await given_billed(db, completed(dual_hours="1.4"), completed(revision=2))
    assert len(await rows(db, BILLS)) == 1
    assert await letters(db) == [
        ("flight:F123:1", "billed_with_other_content"),
        ("flight:F123:2", "billed_under_another_revision"),
    ]


async def test_a_foreign_event_without_id_is_known_by_flight_and_revision(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(ce_id=""), completed(ce_id=""), completed(ce_id="", dual_hours="9.9"))
    assert len(await rows(db, BILLS)) == 1
    assert [reason for _, reason in await letters(db)] == ["event_id_reused"]


async def test_two_processes_bill_one_flight_once(open_db: OpenDatabase) -> None:
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    numbers = range(40)
    mine = [solo(n, "100.0", "101.0") for n in numbers]
    theirs = [solo(n, "100.0", "101.0") for n in reversed(numbers)]
    await asyncio.gather(bill_flights(db, mine), bill_flights(other, theirs))
    assert len(await rows(db, BILLS)) == 40
    assert len(await staged(db)) == 80
    assert await letters(db) == []


async def given_race(db: Database, other: Database, first: Record, second: Record) -> None:
    """`second` is being billed, and finds no bill, while the bill of `first` is written but not committed."""
    async with db.transaction() as tx:
        (flight,) = [wire.events.flight_completed(first)]
        bill = decide_bill(flight, await store.book.read(tx, [flight]))
        assert isinstance(bill, Bill)
        await store.bills.insert(tx, {uuid7(): bill})
        losing = asyncio.create_task(bill_flights(other, [second]), context=Context())
        while not (await tx.one("SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted")).waiting:
            assert not losing.done()
    await losing


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, []),
        ({"dual_hours": "2.0"}, ["billed_with_other_content"]),
        ({"revision": 2}, ["billed_under_another_revision"]),
    ],
)
async def test_a_flight_that_loses_a_race_is_judged_again_and_publishes_nothing(
    open_db: OpenDatabase, changes: dict[str, Any], refused: list[str]
) -> None:
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    await given_race(db, other, completed(), completed(**changes))
    assert [(bill["revision"], bill["charge"]) for bill in await rows(db, BILLS)] == [(1, 36151)]
    assert [reason for _, reason in await letters(db)] == refused
    assert [topic for topic, _ in await staged(db) if topic != "billing.dead"] == []


async def test_a_refused_flight_is_billed_when_redriven_after_its_cause_is_fixed(
    open_db: OpenDatabase,
) -> None:
    db = open_db("billing")
    await given_school(db)
    stranger = completed(student="student-02")
    await given_billed(db, stranger)
    assert await letters(db) == [("flight:F123:1", "unknown_student")]
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    async with db.transaction() as tx:
        (letter,) = await open_letters(tx)
        await dead_letters.redrive(tx, [letter.id], who="finance")
    await given_billed(db, stranger)
    assert [bill["charge"] for bill in await rows(db, BILLS)] == [36151]


async def test_a_refused_flight_is_billed_when_sent_again_as_the_next_revision(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(ce_id="", hobbs_in="1253.0"))
    assert await letters(db) == [("flight:F123:1", "meter_in_before_out")]
    await given_billed(db, completed(ce_id="", revision=2))
    assert [(bill["revision"], bill["charge"]) for bill in await rows(db, BILLS)] == [(2, 36151)]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"flight_id": "F1", "student": "s", "date": "2026-05-22", "dual_hours": NaN}',
        b'{"flight_id": "F1", "student": "s", "date": "2026-05-22", "dual_hours": "NaN"}',
        b'{"flight_id": "F1", "student": "s", "date": "2026-05-22", "dual_hours": "1e400"}',
        b'{"flight_id": "F1", "student": "s", "date": "2026-13-22"}',
        b'{"flight_id": "F1", "student": "s", "date": "2026-05-22", "revision": 99999999999}',
        b'{"flight_id": "' + b"x" * 200 + b'", "student": "s", "date": "2026-05-22"}',
        b'{"flight_id": "F1", "student": "s\\u0000", "date": "2026-05-22"}',
        b'{"flight_id": "F1", "student": "\\ud800", "date": "2026-05-22"}',
    ],
)
async def test_an_unreadable_record_is_one_dead_letter_and_stops_nobody(
    open_db: OpenDatabase, value: bytes | None
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, record("flight.completed", value), completed())
    assert len(await rows(db, BILLS)) == 1
    assert len(await letters(db)) == 1


@pytest.mark.parametrize(
    "figures",
    [
        {"dual_hours": "1.55"},
        {"dual_hours": 1.5000001},
        {"flight_hours": "-0.1"},
        {"hobbs_out": "99999999999.9"},
        {"hobbs_in": "1e11"},
        {"ground_hours": "1e-9"},
        {"flight_hours": "1_0.0"},
        {"hobbs_in": "１２５４.９"},
        {"flight_hours": "1.3" + "0" * 24},
        {"flight_id": "F1\u200b"},
        {"student": "\u00a0student-01"},
        {"flight_id": "F" * 100},
        {"flight_id": "✈" * 100},
    ],
)
async def test_an_impossible_figure_is_one_dead_letter(
    open_db: OpenDatabase, figures: dict[str, Any]
) -> None:
    db = open_db("billing")
    await given_school(db)
    written = record("flight.completed", json.dumps(FLIGHT | figures).encode())
    await given_billed(db, written, completed(flight_id="good"))
    assert [bill["flight_id"] for bill in await rows(db, BILLS)] == ["good"]
    assert len(await letters(db)) == 1


async def test_a_bill_of_zero_is_a_bill_without_a_journal(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, solo(1, "100.0", "100.0"))
    assert [bill["charge"] for bill in await rows(db, BILLS)] == [0]
    assert await staged(db) == [("flight.billed", "S0001")]


CHAIN = [("100.0", "101.0"), ("101.0", "102.5"), ("102.7", "103.0"), ("102.9", "104.0")]
FLAGS = (
    "SELECT flight_id, kind, tenths, previous_flight_id FROM billing_public.flags ORDER BY flight_id, kind"
)


async def test_a_meter_chain_is_the_same_whatever_order_flights_arrive_in(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    found: list[list[tuple[Any, ...]]] = []
    for order in permutations(range(len(CHAIN))):
        tail = f"N{''.join(map(str, order))}"
        version = len(found) + 2
        await configure_school(db, [configured(version, [CHANGES[-1] | {"key": tail}])])
        for n in order:
            await given_billed(db, solo(version * 10 + n, *CHAIN[n], aircraft=tail))
        flags = await rows(
            db, "SELECT right(flight_id, 1) AS n, kind, tenths FROM billing_public.flags"
                " WHERE aircraft = :tail ORDER BY 1", tail=tail
        )  # fmt: skip
        found.append([tuple(flag.values()) for flag in flags])
    assert all(flags == [("2", "meter_gap", 2), ("3", "meter_overlap", -1)] for flags in found)


async def test_a_gap_is_no_finding_any_more_when_the_missing_flight_is_billed(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, solo(1, "100.0", "101.0"), solo(3, "102.0", "103.0"))
    assert await rows(db, FLAGS) == [
        {"flight_id": "S0003", "kind": "meter_gap", "tenths": 10, "previous_flight_id": "S0001"}
    ]
    await given_billed(db, solo(2, "101.0", "102.0"))
    assert await rows(db, FLAGS) == []


async def test_published_views_are_readable_by_others(open_db: OpenDatabase) -> None:
    db, other = open_db("billing"), open_db("operator")
    await given_school(db)
    await given_billed(db, completed(flight_hours="1.2"))
    views = ("bills", "bill_lines", "bill_legs", "flags", "cards", "card_history",
             "current_rates('2026-05-22')", "school_versions", "meter_chain")  # fmt: skip
    for view in views:
        sql = "SELECT * FROM billing_public." + view  # noqa: S608 - names from the line above
        assert await rows(other, sql), view
    lines = await rows(other, "SELECT kind, amount FROM billing_public.bill_lines ORDER BY position")
    assert [tuple(line.values()) for line in lines] == [
        ("rental", 21450), ("instruction", 10500), ("ground", 3000), ("tax", 1201)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bill SET charge = 0",
        "DELETE FROM bill",
        "TRUNCATE bill",
        "UPDATE card_version SET new = NULL",
        "DELETE FROM card_version",
        "DELETE FROM school_version",
        "DELETE FROM book",
    ],
)
async def test_billing_itself_cannot_rewrite_a_bill_or_the_books_history(
    open_db: OpenDatabase, statement: str
) -> None:
    db = open_db("billing")
    with pytest.raises(Exception, match="permission denied"):
        async with db.transaction() as tx:
            await tx.execute(statement)


async def test_five_hundred_flights_are_a_handful_of_statements(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    batch: list[Record] = [solo(n, f"{n}.0", f"{n + 1}.0") for n in range(500)]
    statements: list[str] = []
    await _counted(db, batch, statements)
    assert len(await rows(db, BILLS)) == 500
    assert len(statements) <= 8, statements


async def _counted(db: Any, batch: list[Record], statements: list[str]) -> None:
    from sqlalchemy import event

    engine = db._engine.sync_engine

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    await bill_flights(db, batch)
    event.remove(engine, "before_cursor_execute", note)
