"""`hobbs adjustments` as finance types it: both computations, several at once, wrong input."""

import json
from collections.abc import AsyncIterator

import pytest

from fleet.database import Database
from services.adjustments.desk.decisions import ACTIONS
from services.adjustments.handlers import propose_revisions
from tests.conftest import OpenDatabase
from tests.integration.adjustments.stories import NOW, given_policy, propose, revised, states
from tests.integration.billing.given import (
    completed,
    corrected,
    events,
    given_billed,
    given_corrected,
    given_school,
)
from tests.integration.billing.revised import SHORTER
from tests.integration.ops.conftest import Hobbs
from tests.support.deciders import deciding
from tests.support.records import record

A_LITTLE = {"student:anna": -24_900, "instructor:ines": 13_650, "platform:school": 11_250}  # 49.00
NEARLY_500 = {"student:anna": -69_000, "instructor:ines": 57_750, "platform:school": 11_250}  # 490.00


@pytest.fixture
async def prefix(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Adjustments takes decisions; the command line is told the same world."""
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    async with deciding(kafka, database_url, {"adjustments": ACTIONS}) as found:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", found)
        yield found


async def given_shorter_flight(db: Database, billing: Database) -> None:
    """A flight of 1.3 h that billing corrected to 1.0 h; another began where it ended."""
    await given_school(billing)
    await given_billed(
        billing,
        completed(),
        completed(
            flight_id="F124",
            departed_at="2026-05-22T18:00:00Z",
            arrived_at="2026-05-22T19:10:00Z",
            hobbs_out="1254.9",
            hobbs_in="1255.9",
        ),
    )
    await given_corrected(billing, corrected(2, **SHORTER))
    [told] = await events(billing, "flight.revised")
    await propose_revisions(
        db, [record("flight.revised", json.dumps(told).encode(), key="F123")], clock=lambda: NOW
    )


async def test_both_computations_stand_side_by_side_line_by_line(
    db: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    await given_shorter_flight(db, open_db("billing"))
    shown = json.loads((await hobbs("adjustments", "show", "F123:2", "-o", "json")).stdout)
    by_name = {row["what"]: row for row in shown["computations"]}
    assert (by_name["hobbs_in"]["before"], by_name["hobbs_in"]["after"]) == (12_549, 12_546)
    assert "revision" not in by_name
    rental = by_name["rental"]
    assert rental["before"] > rental["after"] > 0
    assert "1.3 h" in rental["computed_before"]
    assert "1.0 h" in rental["computed_after"]
    assert [row["what"] for row in shown["computations"] if row.get("currency")][-1] == "charge"


async def test_people_read_meters_and_hours_as_they_write_them(
    db: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    await given_shorter_flight(db, open_db("billing"))
    shown = (await hobbs("adjustments", "show", "F123:2")).stdout
    assert "1254.9" in shown
    assert "1254.6" in shown
    assert "12549" not in shown
    [row] = [line for line in shown.splitlines() if "F124" in line]  # its Hobbs-out may be wrong too
    assert "1254.9" in row


async def test_amounts_just_under_either_limit_are_listed_by_maker(db: Database, hobbs: Hobbs) -> None:
    await propose(
        db,
        revised(flight="F1", entries=A_LITTLE, made_by="eve"),
        revised(flight="F2", entries=NEARLY_500, made_by="eve"),
        revised(flight="F3", entries=A_LITTLE, made_by="dispatch"),
    )
    shown = json.loads((await hobbs("adjustments", "makers", "--just-under", "-o", "json")).stdout)
    assert [row["made_by"] for row in shown] == ["dispatch", "eve", "eve"]
    assert {row["adjustment"]: (row["limit"], row["asks_for"]) for row in shown} == {
        "F1:2": (5_000, "an approval"),
        "F2:2": (50_000, "a second approver"),
        "F3:2": (5_000, "an approval"),
    }
    ours = await hobbs("adjustments", "makers", "--just-under", "--maker", "dispatch", "-o", "csv")
    assert [line.split(",")[0] for line in ours.stdout.splitlines()] == ["adjustment", "F3:2"]


async def test_a_rejection_does_not_say_that_somebody_gets_what_they_do_not(
    db: Database, hobbs: Hobbs, prefix: str
) -> None:
    await propose(db, revised(entries=NEARLY_500))
    tried = await hobbs("adjustments", "reject", "F1:2", "--why", "it was right", "--dry-run", "--who", "ann")
    assert "what is not posted" in tried.stdout
    assert "who gets" not in tried.stdout


async def test_many_are_approved_after_one_short_question(db: Database, hobbs: Hobbs, prefix: str) -> None:
    """The table has every party; the question names the first, and says how many more."""
    await given_policy(db, approve_above=100)
    names = [f"F{n}:2" for n in range(6)]
    await propose(db, *(revised(flight=name.removesuffix(":2")) for name in names))
    asked = await hobbs("adjustments", "approve", *names, "--who", "ann", answer="n\n")
    assert "approve 6 adjustments?" in asked.stderr
    assert "and so on, 3 more" in asked.stderr
    assert asked.stdout.count("student:anna") == 6
    assert (asked.exit_code, set((await states(db)).values())) == (1, {"waiting"})
    done = await hobbs("adjustments", "approve", *names, "--who", "ann", "--yes")
    assert (done.exit_code, set((await states(db)).values())) == (0, {"approved"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "--state", "paid"), "paid"),
        (("list", "--needs-approval", "--flight", "F1"), "lists the whole queue"),
        (("reject", "F1:2"), "--why"),
        (("settle", "F1:2", "--method", "cash", "--why", "x"), "manual_check"),
        (("settle", "F1:2", "--method", "forgiven", "--why", "x", "--amount", "1.234"), "2 decimals"),
    ],
)
async def test_wrong_input_is_said_before_anybody_is_asked(
    db: Database, hobbs: Hobbs, arguments: tuple[str, ...], says: str
) -> None:
    await propose(db, revised())
    told = await hobbs("adjustments", *arguments)
    assert (told.exit_code, says in told.stderr) == (2, True)
