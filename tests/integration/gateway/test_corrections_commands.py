"""`hobbs flights correct` and `reprice`: what they show, and what they publish."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from services.billing.handlers import cancel_flights, configure_school, correct_flights
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
)
from tests.integration.gateway.conftest import gateway_settings
from tests.integration.gateway.test_flights_commands import published, running
from tests.integration.ops.conftest import Hobbs
from tests.support.records import record

__all__ = ["running"]  # a fixture

HEADER = (
    "flight_id,revision,departed_at,arrived_at,aircraft,student,instructor,hobbs_out,hobbs_in,flight_hours,"
    "dual_hours,ground_hours,cancelled\n"
)
WORKED = (
    "F123,2,2026-05-22T15:10:00Z,2026-05-22T16:45:00Z,N364MA,student-01,instructor-01,"
    "1253.6,1254.6,1.0,1.0,0.5,\n"
)
DEARER = CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"rate_per_hour": 20000}}


def by_flight(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["flight_id"]: row for row in rows}


async def test_a_dry_run_shows_what_each_correction_would_change(
    hobbs: Hobbs, open_db: OpenDatabase, tmp_path: Path
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(), completed(flight_id="F2"), completed(flight_id="F3"))
    await given_corrected(db, corrected(2, flight_id="F3"))
    file = tmp_path / "corrections.csv"
    file.write_text(
        HEADER + WORKED + "F2,2,,,,,,,,,,,yes\n" + "F9,2,,,,,,,,,,,yes\n" + WORKED.replace("F123,2", "F3,2")
        + WORKED.replace("F123,2", "F2,3").replace("student-01", "nobody") + "F2,x,,,,,,,,,,,yes\n"
    )  # fmt: skip
    result = await hobbs("flights", "correct", str(file), "--why", "digits", "--dry-run", "-o", "json")
    rows = json.loads(result.stdout)
    assert [(row["flight_id"], row["state"]) for row in rows] == [
        ("F123", "due"),
        ("F2", "due"),
        ("F9", "waits"),
        ("F3", "decided"),
        ("F2", "rejected"),
        ("F2", "rejected"),
    ]
    assert by_flight(rows[:1])["F123"]["differences"] == {
        "student:student-01": 8727,
        "instructor:instructor-01": -2250,
        "aircraft_owner:owner-01": -3600,
        "liability:tax": -277,
        "platform:school": -2600,
    }
    assert rows[1]["differences"]["student:student-01"] == 36151
    assert result.exit_code == 1
    assert "4 corrections could be published, 2 rejected" in result.stderr


async def test_what_a_dry_run_shows_is_what_billing_makes_of_it(
    hobbs: Hobbs, open_db: OpenDatabase, tmp_path: Path
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await configure_school(db, [configured(2, [DEARER])])
    file = tmp_path / "corrections.csv"
    file.write_text(HEADER + WORKED)
    shown = json.loads(
        (await hobbs("flights", "correct", str(file), "--why", "x", "--dry-run", "-o", "json")).stdout
    )
    await given_corrected(db, corrected(2, hobbs_in="1254.6", flight_hours="1.0", dual_hours="1.0"))
    (told,) = await events(db, "flight.revised")
    before, after = (
        {entry["wallet"]: entry["amount"] for entry in told[side]} for side in ("first_entries", "entries")
    )
    assert shown[0]["differences"] == {wallet: after[wallet] - before[wallet] for wallet in before}


async def test_a_file_is_published_to_the_topics_of_corrections_and_of_cancellations(
    running: str, kafka: str, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = gateway_settings(kafka, topic_prefix=os.environ["HOBBS_TOPIC_PREFIX"])
    made = await hobbs("flights", "keys", "create", "tests", "-o", "json")
    monkeypatch.setenv("HOBBS_API_KEY", json.loads(made.stdout)["key"])
    file = tmp_path / "corrections.csv"
    file.write_text(HEADER + WORKED + "F2,2,,,,,,,,,,,yes\n")
    by_kafka = ("flights", "correct", str(file), "--why", "digits", "--who", "ann", "--yes", "-o", "json")
    for way in (by_kafka, (*by_kafka, "--url", running), (*by_kafka, "--url", running)):
        result = await hobbs(*way)
        assert (result.exit_code, json.loads(result.stdout)["published"]) == (0, 2), result.stderr
    for topic, flight in (("flight.corrected", "F123"), ("flight.cancelled", "F2")):
        records = await published(settings, 2, topic)
        assert {(dict(r.headers)["ce_id"], r.key) for r in records} == {
            (dict(records[0].headers)["ce_id"], flight.encode())
        }
        assert len({r.value for r in records}) == 1


async def repriced(hobbs: Hobbs, *arguments: str) -> list[dict[str, Any]]:
    result = await hobbs(
        "flights",
        "reprice",
        "--why",
        "fuel price",
        "--since",
        "2026-05-22",
        "--dry-run",
        "-o",
        "json",
        *arguments,
    )
    assert result.exit_code in (0, 1), result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


async def given_dearer(db: Database) -> None:
    """Flights at 165.00, one of them corrected and one cancelled; then the rate is changed back in time."""
    await given_school(db)
    await given_billed(db, *(completed(flight_id=f"F{n}") for n in range(4)))
    await given_billed(db, completed(flight_id="old", departed_at="2026-05-01T15:00:00Z", arrived_at=None))
    await given_corrected(db, corrected(2, flight_id="F1", hobbs_in="1254.6", flight_hours="1.0"))
    await given_cancelled(db, cancelled(2, flight_id="F2"))
    await configure_school(db, [configured(2, [DEARER])])


async def test_repricing_shows_the_flights_that_a_changed_rate_touches(
    hobbs: Hobbs, open_db: OpenDatabase
) -> None:
    db = open_db("billing")
    await given_dearer(db)
    await given_corrected(db, corrected(3, flight_id="F3"))
    rows = await repriced(hobbs)
    assert [(row["flight_id"], row["revision"], row["state"]) for row in rows] == [
        ("F0", 2, "due"),
        ("F1", 3, "due"),
        ("F3", 2, "refused"),
    ]
    assert rows[0]["differences"] == {
        "student:student-01": -4805,
        "liability:tax": 255,
        "platform:school": 4550,
    }
    assert rows[1]["differences"]["student:student-01"] == -3696
    assert "a revision of it waits" in rows[2]["sentence"]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (("--aircraft", "N364MA"), 3),
        (("--aircraft", "N1"), 0),
        (("--instructor", "instructor-01"), 3),
        (("--student", "nobody"), 0),
        (("--until", "2026-05-22"), 3),
    ],
)
async def test_repricing_may_be_narrowed(
    hobbs: Hobbs, open_db: OpenDatabase, narrowed: tuple[str, ...], found: int
) -> None:
    await given_dearer(open_db("billing"))
    assert len(await repriced(hobbs, *narrowed)) == found


async def test_repricing_refuses_a_time_that_ends_before_it_begins(hobbs: Hobbs) -> None:
    asked = ("--since", "2026-05-22", "--until", "2026-05-21", "--why", "fuel price", "--dry-run")
    result = await hobbs("flights", "reprice", *asked)
    assert result.exit_code == 2
    assert "--until is before --since" in result.stderr


async def test_what_reprice_publishes_is_what_it_showed_and_then_there_is_nothing_left(
    running: str, kafka: str, hobbs: Hobbs, open_db: OpenDatabase
) -> None:
    db = open_db("billing")
    await given_dearer(db)
    shown = await repriced(hobbs)
    result = await hobbs("flights", "reprice", "--why", "fuel price", "--since", "2026-05-22", "--yes")
    assert result.exit_code == 0, result.stderr
    settings = gateway_settings(kafka, topic_prefix=os.environ["HOBBS_TOPIC_PREFIX"])
    for sent in await published(settings, len(shown), "flight.corrected"):
        await correct_flights(db, [record("flight.corrected", sent.value)])
    told = {(e["flight_id"], e["revision"]): e for e in await events(db, "flight.revised")}
    for row in shown:
        event = told[row["flight_id"], row["revision"]]
        assert (event["priced_by"], event["reason"]) == ("book", "fuel price")
    assert await letters(db) == []
    assert await repriced(hobbs) == []


async def test_corrections_that_wait_and_flights_that_were_corrected_are_listed_and_shown(
    hobbs: Hobbs, open_db: OpenDatabase
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed(), completed(flight_id="F2"))
    await given_corrected(db, corrected(2, hobbs_in="1254.6"), corrected(4), corrected(2, flight_id="F9"))
    await cancel_flights(db, [cancelled(2, flight_id="F2")])
    listed = json.loads((await hobbs("flights", "list", "-o", "json")).stdout)
    states = {(row["flight_id"], row["revision"]): row["state"] for row in listed}
    assert states == {
        ("F123", 2): "billed",
        ("F2", 2): "cancelled",
        ("F123", 4): "waiting",
        ("F9", 2): "waiting",
    }
    waiting = json.loads((await hobbs("flights", "list", "--state", "waiting", "-o", "json")).stdout)
    assert {row["flight_id"]: row["why"] for row in waiting} == {
        "F123": "waits for revision 3: revision 2 is in force",
        "F9": "waits for its flight, which did not come yet",
    }
    shown = json.loads((await hobbs("flights", "show", "F123", "-o", "json")).stdout)
    assert [(bill["revision"], bill["kind"], bill["in_force"]) for bill in shown["bills"]] == [
        (1, "completed", False),
        (2, "corrected", True),
    ]
    assert [row["revision"] for row in shown["waiting"]] == [4]
    assert (await hobbs("flights", "show", "F9")).exit_code == 0
