"""A refused flight is told again with facts that a person corrected: billed once, and kept in its topic."""

from typing import Any
from uuid import UUID

import pytest

from fleet.database import Database
from fleet.envelope import Record
from services.billing.desk.decisions import ACTIONS
from services.billing.handlers import bill_flights, correct_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, corrected, given_billed, given_school, rows
from tests.support.decisions import answered, decision
from tests.support.records import record

LETTERS = "SELECT id, topic, state, attempts, reason, history FROM dead_letter ORDER BY id"
TOLD_AGAIN = "SELECT topic, key, event_id, value FROM outbox WHERE topic LIKE 'flight.co%' ORDER BY id"


async def letter_of(db: Database, *records: Record) -> UUID:
    """Have a flight refused; its letter."""
    handle = correct_flights if records[0].topic == "flight.corrected" else bill_flights
    await handle(db, list(records))
    found = await rows(db, LETTERS)
    assert [one["state"] for one in found] == ["open"]
    letter: UUID = found[0]["id"]
    return letter


async def correct(db: Database, letter: Any, facts: Any, *, why: str = "a slip of the pen") -> Any:
    asked = decision("billing", "correct_letter", str(letter), {"facts": facts}, who="paula", why=why)
    return await answered(db, ACTIONS, asked)


async def as_published(db: Database) -> Record:
    """The record that the corrected flight becomes on its topic."""
    [sent] = await rows(db, TOLD_AGAIN)
    return record(
        sent["topic"],
        bytes(sent["value"]),
        ce_id=sent["event_id"],
        ce_source="hobbs/billing",
        key=bytes(sent["key"]).decode(),
    )


@pytest.fixture
async def db(open_db: OpenDatabase) -> Database:
    opened = open_db("billing")
    await given_school(opened)
    return opened


async def test_a_corrected_flight_is_told_again_and_billed_once_and_its_letter_is_closed(
    db: Database,
) -> None:
    wrong = completed(aircraft="N364MB", ce_id="from-the-scheduler")
    letter = await letter_of(db, wrong)
    taken = await correct(db, letter, {"aircraft": "N364MA", "hobbs_in": "1254.9"})
    assert taken.outcome == "done", taken.sentence
    assert taken.effects[0] == {"setting": "aircraft", "before": "N364MB", "after": "N364MA"}
    assert {"wallet": "student:student-01", "amount": -36151, "currency": "USD"} in taken.effects
    assert not [one for one in taken.effects if one.get("setting") == "hobbs_in"], "it is as it was"
    again = await as_published(db)
    await bill_flights(db, [again, wrong])  # whoever reads the topic again finds both
    assert await rows(db, "SELECT flight_id, charge FROM bill") == [{"flight_id": "F123", "charge": 36151}]
    [kept] = await rows(db, LETTERS)
    assert kept["state"] == "discarded"
    assert "told again with aircraft corrected: a slip of the pen" in str(kept["history"])
    assert (await correct(db, letter, {"aircraft": "N1"})).outcome == "refused", "it is closed"


async def test_a_flight_that_was_no_event_at_all_is_corrected_too(db: Database) -> None:
    broken = completed(ce_id="broken")
    broken = broken._replace(value=(broken.value or b"").replace(b'"2026-05-22"', b'"22 May"'))
    letter = await letter_of(db, broken)
    assert (await correct(db, letter, {"date": "2026-05-22"})).outcome == "done"
    await bill_flights(db, [await as_published(db), broken])
    assert len(await rows(db, "SELECT id FROM bill")) == 1
    assert [one["state"] for one in await rows(db, LETTERS)] == ["discarded"], "it stays closed"


async def test_a_refused_correction_is_corrected(db: Database) -> None:
    await given_billed(db, completed())
    letter = await letter_of(db, corrected(aircraft="N364MB"))
    taken = await correct(db, letter, {"aircraft": "N364MA", "hobbs_in": "1255.9", "flight_hours": "2.3"})
    assert taken.outcome == "done", taken.sentence
    assert next(one for one in taken.effects if one.get("wallet") == "student:student-01")["amount"] < 0
    await correct_flights(db, [await as_published(db)])
    assert len(await rows(db, "SELECT id FROM bill")) == 2


@pytest.mark.parametrize(
    ("facts", "why", "said"),
    [
        ({"aircraft": "N364MB"}, "x", "nothing is changed"),
        ({"aircraft": "N1"}, "x", "it would be refused again"),
        ({"hobbs_in": "lots"}, "x", "it would be refused again: hobbs_in"),
        ({"flight_id": "F9"}, "x", "no facts that can be changed: flight_id"),
        ({"revision": "2"}, "x", "no facts that can be changed: revision"),
        ({"price": "1"}, "x", "no facts that can be changed: price"),
        ({"aircraft": "N" * 501}, "x", "at most 500"),
        ({"aircraft": 5}, "x", "say the facts"),
        ("aircraft", "x", "say the facts"),
        (None, "x", "say the facts"),
        ({"aircraft": "N364MA"}, " ", "say why"),
    ],
)
async def test_what_cannot_be_corrected_is_said_and_changes_nothing(
    db: Database, facts: Any, why: str, said: str
) -> None:
    letter = await letter_of(db, completed(aircraft="N364MB"))
    taken = await correct(db, letter, facts, why=why)
    assert (taken.outcome, said in taken.sentence) == ("refused", True), taken.sentence
    assert await rows(db, TOLD_AGAIN) == []
    assert [one["state"] for one in await rows(db, LETTERS)] == ["open"]


@pytest.mark.parametrize("name", ["x", "5d1e8f6a-0f0e-4c59-9f0c-3a86c1c5a7b2"])
async def test_a_letter_that_is_not_there_is_said(db: Database, name: str) -> None:
    assert "no open letter" in (await correct(db, name, {"aircraft": "N1"})).sentence


async def test_a_letter_without_readable_content_is_not_corrected(db: Database) -> None:
    letter = await letter_of(db, completed(ce_id="odd")._replace(value=b"\xff[]"))
    assert "whose content can be read" in (await correct(db, letter, {"aircraft": "N1"})).sentence
