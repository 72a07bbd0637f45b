"""A person who is planted everywhere is erased: nothing names them afterwards, and the money stays."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from fleet.reader import Reader
from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import SCHOOL_FILE, CommandFailed, run_hobbs
from hobbs.demo.story import Story
from hobbs.local.running_fleet import RunningFleet
from hobbs.school.book import CONTACTS
from schemas.topics import TOPICS
from tests.crash.traffic import publish
from tests.support.fleets import Silent
from tests.support.leaks import tables_with

NAME, ADDRESS, LAST = "Petra Planted", "petra@planted.example", "planted"
STUDENT: Final = f'\n[[student]]\nid = "p1"\nname = "{NAME}"\nemail = "{ADDRESS}"\nalso_instructor = "p2"\n'
INSTRUCTOR: Final = f"""
[[instructor]]
id = "p2"
name = "{NAME}"
email = "{ADDRESS}"
flight_per_hour = 40.00
ground_per_hour = 30.00
"""


async def topics_with(running: RunningFleet, word: str) -> list[str]:
    """Topics with a record that has the word in its key, value or headers, in any case."""
    found: set[str] = set()
    wanted, prefix = word.lower().encode(), running.fleet.topic_prefix
    consumer = Reader(bootstrap_servers=running.fleet.kafka_bootstrap, auto_offset_reset="earliest")
    async with consumer:
        for topic in TOPICS.values():
            places = await consumer.places_of(prefix + topic.name)
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for one in records:
                        said = b" ".join(
                            [one.key or b"", one.value or b"", *(v or b"" for _, v in one.headers)]
                        )
                        if wanted in said.lower():
                            found.add(topic.name)
    return sorted(found)


def logs_with(running: RunningFleet, word: str) -> list[str]:
    folder = running.fleet.folder / "logs"
    return sorted(file.name for file in folder.glob("*.log") if word in file.read_text().lower())


@pytest.fixture
async def planted(fleet: RunningFleet, figures: Figures, tmp_path: Path) -> RunningFleet:
    """A school that runs."""
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    await story.open_school()
    return fleet


async def apply(running: RunningFleet, file: Path, *more: str, why: str = "a new student") -> str:
    return await asyncio.to_thread(
        run_hobbs, running.fleet, "school", "apply", str(file), "--yes", "--who", "ann", "--why", why, *more
    )


async def test_nothing_that_is_kept_names_who_was_erased(
    planted: RunningFleet, figures: Figures, tmp_path: Path
) -> None:
    running, file = planted, tmp_path / "school.toml"
    file.write_text(SCHOOL_FILE.read_text() + STUDENT + INSTRUCTOR)
    await apply(running, file)
    # A webhook about the person, a flight with fields that flights do not have, and records nobody can read.
    cashier = Cashier(running.fleet)
    await asyncio.to_thread(cashier.pay_in, "p1", [50_000])
    flight: dict[str, Any] = {"flight_id": "px", "student": "p1", "instructor": "p2", "date": "2026-05-22"}
    flight |= {"aircraft": "N000XX", "flight_hours": "1.0", "remarks": f"{NAME} was late"}
    headers = [("ce_source", b"scheduler"), ("ce_id", str(uuid4()).encode())]
    await publish(running.fleet, "flight.completed", [(b"px", json.dumps(flight).encode(), headers)])
    await publish(running.fleet, CONTACTS.name, [(b"x", f'{{"full_name": "{NAME}"'.encode(), [])])
    story = Story(running.fleet, figures, Silent(), running.require_running)
    await story.settle()

    assert "payouts.contact.full_name" in await tables_with(running.fleet.owner_url, LAST)
    assert "billing.dead_letter.value" in await tables_with(running.fleet.owner_url, LAST)
    held = json.loads(await asyncio.to_thread(run_hobbs, running.fleet, "person", "export", "student:p1"))
    assert held["person"] == ["student:p1", "instructor:p2"]
    assert {row["full_name"] for row in held["contact"]} == {NAME}
    assert [letter["service"] for letter in held["dead_letters"]] == ["billing"]
    assert held["payments"]

    erase = ("person", "erase", "student:p1", "--yes", "--who", "ann", "--why")
    with pytest.raises(CommandFailed, match="it names instructor:p2"):
        await asyncio.to_thread(run_hobbs, running.fleet, *erase, f"asked by {NAME}")
    await asyncio.to_thread(run_hobbs, running.fleet, *erase, "asked by letter")
    await asyncio.to_thread(run_hobbs, running.fleet, *erase, "asked again")
    await story.settle()

    assert await tables_with(running.fleet.owner_url, LAST) == []
    # What forgets in a week, and what a foreign publisher wrote itself (docs/data-inventory.md).
    assert await topics_with(running, LAST) == ["contact.changed", "flight.completed"]
    assert logs_with(running, LAST) == []
    held = json.loads(await asyncio.to_thread(run_hobbs, running.fleet, "person", "export", "student:p1"))
    assert {row["full_name"] for row in held["contact"]} == {None}
    assert held["payments"]

    # The same school.toml again leaves the name out; on purpose it comes back.
    await apply(running, file, why="again")
    assert await tables_with(running.fleet.owner_url, LAST) == []
    erased = json.loads(await asyncio.to_thread(run_hobbs, running.fleet, "person", "erased", "-o", "json"))
    assert [(row["wallet"], row["stated_anew"]) for row in erased] == [
        ("instructor:p2", False),
        ("student:p1", False),
    ]
    await apply(running, file, "--anew", "student:p1", why="enrolled again")
    assert await tables_with(running.fleet.owner_url, LAST) == [
        "payouts.contact.email",
        "payouts.contact.full_name",
    ]
