"""Corrections and cancellations in, bills that correct bills and `flight.revised` out, on a real database."""

from typing import Any

import pytest

from fleet.envelope import Record
from services.billing.handlers import configure_school, correct_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    CHANGES,
    cancelled,
    completed,
    configured,
    corrected,
    events,
    given_billed,
    given_cancelled,
    given_corrected,
    given_school,
    letters,
    rows,
    solo,
    staged,
)
from tests.integration.billing.revised import SHORTER, bills, redrive, revised, take, waiting

FIRST = [
    {"wallet": "student:student-01", "amount": -36151},
    {"wallet": "instructor:instructor-01", "amount": 8750},
    {"wallet": "aircraft_owner:owner-01", "amount": 15600},
    {"wallet": "liability:tax", "amount": 1201},
    {"wallet": "platform:school", "amount": 10600},
]
DEARER = [CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"rate_per_hour": 20000}}]


async def test_a_correction_is_priced_whole_and_told_with_the_first_bill(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await given_corrected(db, corrected(**SHORTER))
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


async def test_a_revision_asks_the_ledger_for_nothing(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await given_corrected(db, corrected(**SHORTER))
    await given_cancelled(db, cancelled(3))
    assert [topic for topic, _ in await staged(db)] == [
        "flight.billed",
        "journal.requested",
        "flight.revised",
        "flight.revised",
    ]


async def test_on_a_cancelled_flight_nobody_owes_anything(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await given_cancelled(db, cancelled())
    assert await bills(db) == [(1, 36151, "completed"), (2, 0, "cancelled")]
    (told,) = await events(db, "flight.revised")
    assert (told["kind"], told["first_entries"], told["entries"]) == ("cancelled", FIRST, [])
    assert (told["student"], told["flown_on"], told["made_by"]) == ("student-01", "2026-05-22", "dispatch")


async def test_a_cancelled_flight_may_be_corrected_again(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), cancelled(2), corrected(3, **SHORTER))
    assert await revised(db) == [(2, "cancelled", 0), (3, "corrected", -27424)]


async def test_every_revision_corrects_the_first_bill(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(2, **SHORTER), corrected(3), cancelled(4))
    found = await rows(
        db,
        "SELECT first.revision FROM bill JOIN bill AS first ON first.id = bill.corrects ORDER BY bill.id",
    )
    assert [row["revision"] for row in found] == [1, 1, 1]
    assert [told["first_source"] for told in await events(db, "flight.revised")] == ["flight:F123:1"] * 3


async def test_a_replay_of_every_topic_changes_nothing(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    records = [completed(), corrected(2, **SHORTER), cancelled(3), corrected(5)]
    await take(db, *records)
    before = (await bills(db), await waiting(db), await staged(db))
    await take(db, *records)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM inbox")
    await take(db, *reversed(records))
    assert (await bills(db), await waiting(db), await staged(db)) == before
    assert await letters(db) == []


@pytest.mark.parametrize(
    "other", [{"dual_hours": "1.4"}, {"reason": "another"}, {"corrected_by": "ann"}, {"priced_by": "book"}]
)
async def test_the_same_revision_with_other_content_is_a_dead_letter(
    open_db: OpenDatabase, other: dict[str, Any]
) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(2), corrected(2, **other), corrected(2, ce_id=""))
    assert await letters(db) == [("flight:F123:2", "billed_with_other_content")]
    assert len(await events(db, "flight.revised")) == 1


async def test_a_correction_and_a_cancellation_of_one_revision_are_other_content(
    open_db: OpenDatabase,
) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), cancelled(2), corrected(2))
    assert await letters(db) == [("flight:F123:2", "billed_with_other_content")]
    assert await revised(db) == [(2, "cancelled", 0)]


@pytest.mark.parametrize("early", [False, True])
async def test_the_correction_of_a_refused_flight_is_its_first_bill(
    open_db: OpenDatabase, early: bool
) -> None:
    db = open_db("billing")
    await given_school(db)
    records = [completed(hobbs_in="1253.0"), corrected(2, **SHORTER)]
    await take(db, *(reversed(records) if early else records))
    assert await bills(db) == [(2, 27424, "corrected")]
    assert await staged(db) == [
        ("billing.dead", (await staged(db))[0][1]),
        ("flight.billed", "F123"),
        ("journal.requested", "flight:F123:2"),
    ]
    await given_corrected(db, corrected(3))
    (told,) = await events(db, "flight.revised")
    assert (told["revision"], told["first_source"]) == (3, "flight:F123:2")


async def test_a_flight_is_not_billed_a_second_time_when_its_letter_is_redriven(
    open_db: OpenDatabase,
) -> None:
    db = open_db("billing")
    await given_school(db)
    stranger = completed(student="student-02")
    await take(db, stranger, corrected(2))
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    await redrive(db)
    await given_billed(db, stranger)
    assert [revision for revision, _, _ in await bills(db)] == [2]
    assert await letters(db) == [("flight:F123:1", "billed_under_another_revision")]


async def test_a_refused_correction_is_passed_over_by_the_next(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(2, student="nobody"), corrected(3, **SHORTER))
    assert await letters(db) == [("flight:F123:2", "unknown_student")]
    assert await revised(db) == [(3, "corrected", -27424)]


async def test_a_refused_correction_that_was_passed_over_is_not_applied_later(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    late = corrected(2, student="student-02", priced_by="book")
    await take(db, completed(), late, corrected(3, **SHORTER))
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    await redrive(db)
    await given_corrected(db, late)
    assert await letters(db) == [("flight:F123:2", "revision_passed")]
    assert [revision for revision, _, _ in await bills(db)] == [1, 3]


async def test_a_refused_flight_that_is_cancelled_is_never_billed(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    stranger = completed(student="student-02")
    await take(db, stranger, cancelled(2), cancelled(2))
    assert await bills(db) == []
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    await redrive(db)
    await given_billed(db, stranger)
    assert await bills(db) == []
    assert await letters(db) == [("flight:F123:1", "flight_is_cancelled")]
    await given_corrected(db, corrected(3, student="student-02"))
    assert await bills(db) == [(3, 36151, "corrected")]
    assert await events(db, "flight.revised") == []


async def test_a_correction_is_priced_by_the_book_of_the_first_bill(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await configure_school(db, [configured(2, DEARER)])
    await take(db, corrected(2), corrected(3, priced_by="book"), corrected(4))
    assert await revised(db) == [
        (2, "corrected", -36151),
        (3, "corrected", -40956),
        (4, "corrected", -36151),
    ]
    found = await rows(db, "SELECT school_version, priced_by FROM bill ORDER BY revision")
    assert [tuple(row.values()) for row in found] == [(1, None), (1, "bill"), (2, "book"), (1, "bill")]


async def test_who_came_into_the_book_later_needs_the_book_of_today(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    await take(db, corrected(2, student="student-02"), corrected(3, student="student-02", priced_by="book"))
    (letter,) = await rows(db, "SELECT reason, sentence FROM dead_letter")
    assert letter["reason"] == "unknown_student"
    assert "version 1 of the book" in letter["sentence"]
    assert "revision 3 with priced_by book" in letter["sentence"]
    (told,) = await events(db, "flight.revised")
    assert (told["student_before"], told["student"]) == ("student-01", "student-02")


async def test_a_card_that_was_withdrawn_still_prices_a_correction(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    gone = {"kind": "instructor", "key": "instructor-01", "new": None}
    await configure_school(db, [configured(2, [gone])])
    await take(db, corrected(2, priced_by="book"), corrected(3, **SHORTER))
    assert await letters(db) == [("flight:F123:2", "unknown_instructor")]
    assert await revised(db) == [(3, "corrected", -27424)]


async def test_a_correction_may_move_the_flight_to_another_day_and_another_aircraft(
    open_db: OpenDatabase,
) -> None:
    db = open_db("billing")
    other = CHANGES[-1] | {"key": "N2", "new": CHANGES[-1]["new"] | {"owner": "owner-02"}}
    await given_school(db, {"kind": "owner", "key": "owner-02", "new": {}}, other)
    await given_billed(db, completed())
    april: dict[str, Any] = {"departed_at": "2026-04-30T15:00:00Z", "arrived_at": "2026-04-30T16:30:00Z"}
    await given_corrected(db, corrected(2, aircraft="N2", **april))
    (told,) = await events(db, "flight.revised")
    assert (told["flown_on"], told["occurred_at"]) == ("2026-05-22", "2026-04-30T16:30:00Z")
    assert {e["wallet"] for e in told["entries"]} - {e["wallet"] for e in told["first_entries"]} == {
        "aircraft_owner:owner-02"
    }


async def test_an_impossible_correction_is_a_dead_letter_and_the_bill_stands(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(2, dual_hours="1.55"), corrected(3, flight_id="F" * 90))
    assert [reason for _, reason in await letters(db)] == ["hours_not_tenths", "identifier_too_long"]
    assert len(await bills(db)) == 1


async def test_many_corrections_are_a_handful_of_statements(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, *(solo(n, f"{n}.0", f"{n + 1}.0") for n in range(200)))
    batch = [
        corrected(2, flight_id=f"S{n:04d}", hobbs_out=f"{n}.0", hobbs_in=f"{n + 1}.0", flight_hours=None)
        for n in range(200)
    ]
    statements: list[str] = []
    await counted(db, batch, statements)
    assert len(await events(db, "flight.revised")) == 200
    assert len(statements) <= 12, statements


async def counted(db: Any, batch: list[Record], statements: list[str]) -> None:
    from sqlalchemy import event

    engine = db._engine.sync_engine

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    await correct_flights(db, batch)
    event.remove(engine, "before_cursor_execute", note)


FORBIDDEN = (
    "UPDATE bill SET corrects = NULL",
    "UPDATE waiting_revision SET revision = 9",
    "UPDATE waiting_revision SET value = ''",
    "UPDATE cancelled_flight SET revision = 9",
    "DELETE FROM cancelled_flight",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_billing_itself_cannot_rewrite_what_was_decided(open_db: OpenDatabase, statement: str) -> None:
    db = open_db("billing")
    with pytest.raises(Exception, match="permission denied"):
        async with db.transaction() as tx:
            await tx.execute(statement)


async def test_a_corrected_date_has_the_tax_of_that_day(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    later = {"kind": "tax", "key": "rental", "effective_from": "2026-06-01", "new": {"tax_ppm": 100_000}}
    await given_school(db, later)
    june: dict[str, Any] = {"departed_at": "2026-06-02T15:00:00Z", "arrived_at": "2026-06-02T16:30:00Z"}
    await take(db, completed(), corrected(2, **june))
    (told,) = await events(db, "flight.revised")
    assert {"wallet": "liability:tax", "amount": 2145} in told["entries"]


async def test_the_meter_chain_goes_by_the_bill_in_force(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    alone: dict[str, Any] = {"instructor": None, "dual_hours": "0", "ground_hours": "0", "flight_hours": None}
    await given_billed(db, solo(1, "100.0", "101.0"), solo(2, "101.0", "102.0"), solo(3, "102.0", "103.0"))
    flags = "SELECT flight_id, kind, tenths FROM billing_public.flags ORDER BY flight_id"

    async def found() -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in await rows(db, flags)]

    assert await found() == []
    await given_corrected(db, corrected(2, flight_id="S0002", hobbs_out="101.0", hobbs_in="101.8", **alone))
    assert await found() == [("S0003", "meter_gap", 2)]
    await given_cancelled(db, cancelled(3, flight_id="S0002"))
    assert await found() == [("S0003", "meter_gap", 10)]
    await given_corrected(db, corrected(4, flight_id="S0002", hobbs_out="101.0", hobbs_in="102.0", **alone))
    assert await found() == []
    chain = await rows(db, "SELECT flight_id, revision FROM billing_public.meter_chain ORDER BY flight_id")
    assert [tuple(row.values()) for row in chain] == [("S0001", 1), ("S0002", 4), ("S0003", 1)]


async def test_flags_are_those_of_the_bill_in_force(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(flight_hours="1.2"))
    flags = "SELECT revision, kind FROM billing_public.flags"
    assert [row["kind"] for row in await rows(db, flags)] == ["meter_mismatch"]
    await given_corrected(db, corrected(2))
    assert await rows(db, flags) == []
