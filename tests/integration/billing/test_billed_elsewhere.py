"""A flight that other software billed counts as flown, and moves no money here."""

from typing import Any

import pytest

from fleet.database import Database
from schemas.flights import FlightCompleted, FlightCorrected
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    FLIGHT,
    cancelled,
    completed,
    corrected,
    given_billed,
    given_cancelled,
    given_corrected,
    given_school,
    rows,
)

OLD: dict[str, Any] = {"billed_by": "Old Planner"}
BILL = "SELECT kind, charge, legs_total, reason, made_by, billed_tenths, hours_from FROM bill"
STAGED = "SELECT topic FROM outbox ORDER BY id"
LETTERS = "SELECT subject, reason FROM dead_letter ORDER BY subject"


@pytest.fixture
async def billing(open_db: OpenDatabase) -> Database:
    database = open_db("billing")
    await given_school(database)
    return database


async def test_it_has_a_bill_on_which_nobody_owes_anything_and_no_journal(billing: Database) -> None:
    await given_billed(billing, completed(**OLD, student="gone-01", instructor="gone-02", aircraft="N0GONE"))
    assert await rows(billing, BILL) == [
        {
            "kind": "elsewhere",
            "charge": 0,
            "legs_total": 0,
            "reason": "billed before the school came here",
            "made_by": "Old Planner",
            "billed_tenths": 13,
            "hours_from": "hobbs",
        }
    ]
    staged = [row["topic"] for row in await rows(billing, STAGED)]
    assert "journal.requested" not in staged


async def test_published_again_it_changes_nothing_and_under_our_prices_it_is_refused(
    billing: Database,
) -> None:
    await given_billed(billing, completed(**OLD))
    await given_billed(billing, completed(**OLD))
    assert await rows(billing, LETTERS) == []
    await given_billed(billing, completed(ce_id="another"))
    assert [row["reason"] for row in await rows(billing, LETTERS)] == ["billed_with_other_content"]
    assert len(await rows(billing, BILL)) == 1


async def test_a_correction_or_cancellation_of_it_is_refused_and_says_what_to_do(billing: Database) -> None:
    await given_billed(billing, completed(**OLD))
    await given_corrected(billing, corrected())
    await given_cancelled(billing, cancelled(3))
    letters = await rows(billing, "SELECT reason, sentence FROM dead_letter ORDER BY subject")
    assert {row["reason"] for row in letters} == {"billed_elsewhere"}
    assert all("hobbs adjustments amend" in row["sentence"] for row in letters)
    assert len(await rows(billing, BILL)) == 1


async def test_it_is_a_link_of_the_meter_chain(billing: Database) -> None:
    """The first flight billed here begins behind where it ended: that is a gap."""
    await given_billed(billing, completed(flight_id="A", hobbs_out="100.0", hobbs_in="101.3", **OLD))
    await given_billed(billing, completed(flight_id="B", hobbs_out="101.5", hobbs_in="102.8"))
    flags = await rows(billing, "SELECT flight_id, kind, previous_flight_id FROM billing_public.flags")
    gaps = [flag for flag in flags if flag["kind"] == "meter_gap"]
    assert [(gap["flight_id"], gap["previous_flight_id"]) for gap in gaps] == [("B", "A")]


async def test_facts_that_cannot_be_true_are_refused_as_everywhere(billing: Database) -> None:
    await given_billed(billing, completed(flight_id="A", hobbs_in="1253.0", **OLD))
    await given_billed(billing, completed(flight_id="B", flight_hours="25.0", **OLD))
    assert [row["reason"] for row in await rows(billing, LETTERS)] == ["meter_in_before_out", "hours_over_24"]


def test_a_flight_that_says_nothing_of_it_is_the_same_bytes_as_before() -> None:
    assert "billed_by" not in FlightCompleted.model_validate(FLIGHT).model_dump_json()
    assert '"billed_by":"Old Planner"' in FlightCompleted.model_validate(FLIGHT | OLD).model_dump_json()
    with pytest.raises(ValueError, match="corrected there"):
        FlightCorrected.model_validate(FLIGHT | OLD | {"revision": 2, "reason": "x", "corrected_by": "ann"})
