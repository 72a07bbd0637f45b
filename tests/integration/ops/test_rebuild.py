"""`hobbs rebuild`: billing's tables anew from its topics, beside the live ones and then in their place."""

import asyncio
import json
import re
import secrets
import shlex
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleet import positions
from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.kafka_client import create_topics, publish_once
from fleet.settings import Settings
from hobbs.rebuild.sources import all_sources, sources_of
from hobbs.replay import reading
from hobbs.shell.topic_plans import topic_plans
from schemas.dispatches import FlightDispatched
from schemas.flights import FlightCompleted, FlightCorrected
from schemas.proved import publishers_keys
from schemas.school import SchoolConfigured
from schemas.services import SERVICES
from services.billing.app import build
from services.billing.settings import BillingSettings
from tests.integration.billing.given import CHANGES, FLIGHT, configured
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import service_url

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations" / "rebuild.md"
WITHIN_S = 180.0
STOPPED = ("--swap", "--yes", "--why", "a test", "--who", "ann")


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A prefix of topics of its own, and billing's worker, which is started where a test wants it."""

    settings: Settings
    database_url: str
    owner: Database

    async def publish(self, *messages: Message) -> None:
        await publish_once(self.settings, messages, service="gateway")

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with self.owner.transaction() as tx:
            return [dict(row._mapping) for row in await tx.all(sql)]

    async def number(self, sql: str) -> int:
        return int(next(iter((await self.rows(sql))[0].values())))

    @asynccontextmanager
    async def billing_at_work(self, *, keys: str = "") -> AsyncIterator[None]:
        told = {"check_every_s": 3_600, "publishers_keys": keys}
        settings = BillingSettings.model_validate(self.settings.model_dump() | told)
        worker = build(settings)
        task = asyncio.create_task(worker.work())
        try:
            yield
        finally:
            worker.stop()
            await task

    async def until(self, sql: str, wanted: int) -> None:
        deadline = time.monotonic() + WITHIN_S
        while await self.number(sql) < wanted:
            assert time.monotonic() < deadline, f"{sql} is not {wanted}"
            await asyncio.sleep(0.1)


@pytest.fixture
async def school(
    kafka: str, database_url: str, owner: Database, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> School:
    prefix = f"{secrets.token_hex(4)}."
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
    monkeypatch.setenv("HOBBS_OWNER_DATABASE_URL", database_url)
    url = service_url(database_url, "billing")
    settings = Settings.model_validate(
        {"database_url": url, "kafka_bootstrap": kafka, "topic_prefix": prefix}
    )
    await create_topics(settings, [plan for plan in topic_plans() if _is_billings(plan.name)])
    return School(settings=settings, database_url=database_url, owner=owner)


def _is_billings(topic: str) -> bool:
    return topic in (
        *("school.configured", "school.accepted", "decision.requested", "decision.taken", "billing.dead"),
        *("flight.completed", "flight.corrected", "flight.cancelled", "flight.dispatched"),
        *("flight.billed", "flight.revised", "flight.estimated", "journal.requested"),
    )


def book(version: int, changes: Sequence[dict[str, Any]]) -> Message:
    event = SchoolConfigured.model_validate_json(configured(version, changes).value or b"")
    return Message(topic="school.configured", key="school", event=event, cause=first_cause())


def flown(name: str, **more: Any) -> Message:
    event = FlightCompleted.model_validate(FLIGHT | {"flight_id": name} | more)
    return Message(topic="flight.completed", key=name, event=event, cause=first_cause())


def corrected(name: str, revision: int = 2, **more: Any) -> Message:
    why = {"flight_id": name, "revision": revision, "reason": "digits", "corrected_by": "dispatch"}
    event = FlightCorrected.model_validate(FLIGHT | why | more)
    return Message(topic="flight.corrected", key=name, event=event, cause=first_cause())


def dispatched(name: str) -> Message:
    event = FlightDispatched.model_validate(
        {
            "flight_id": name,
            "revision": 1,
            "student": "student-01",
            "aircraft": "N364MA",
            "departs_at": "2026-05-22T15:10:00Z",
            "flight_hours": "1.3",
        }
    )
    return Message(topic="flight.dispatched", key=name, event=event, cause=first_cause())


BILLS = "SELECT count(*) FROM billing.bill"
UNSENT = """
    INSERT INTO billing.outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    VALUES ('journal.requested', 'k', '{}', uuidv7(), 'hobbs/billing', 'c', 't')
"""
EVERY_BILL = "SELECT id, flight_id, revision, charge, billed_at FROM billing.bill ORDER BY id"
OTHERS = "SELECT nspname FROM pg_namespace WHERE nspname ~ '_(before|rebuilt|aside)'"
TWO = "SELECT flight_id, charge FROM billing.bill WHERE flight_id IN ('F7', 'F8') ORDER BY flight_id"


async def a_month(school: School) -> None:
    """Two versions of the book, flights under each, corrections also before their flight, and a refusal."""
    await school.publish(book(1, CHANGES))
    await school.until("SELECT version FROM billing.book", 1)
    await school.publish(*(flown(f"F{n}") for n in range(1, 21)), dispatched("D1"))
    await school.until(BILLS, 20)
    dearer = CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"rate_per_hour": 19_900}}
    await school.publish(book(2, [dearer]))
    await school.until("SELECT version FROM billing.book", 2)
    await school.publish(
        corrected("F3", hobbs_in="1255.1"),
        corrected("F21", hobbs_in="1255.2"),
        corrected("F22", 3),
        *(flown(f"F{n}") for n in range(21, 31)),
        flown("F31", instructor="nobody"),
    )
    await school.until(BILLS, 32)
    await school.until("SELECT count(*) FROM billing.dead_letter", 1)
    await school.until("SELECT count(*) FROM billing.waiting_revision", 1)


async def tables(hobbs: Hobbs, *more: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    result = await hobbs("rebuild", "billing", *more, "-o", "json")
    rows = json.loads(result.stdout) if result.stdout.strip() else []
    return result.exit_code, {row["table"]: row for row in rows}, result.stderr


async def test_tables_made_anew_are_the_live_ones_and_take_their_place_in_the_middle_of_traffic(
    school: School, hobbs: Hobbs
) -> None:
    async with school.billing_at_work():
        await a_month(school)
        code, seen, said = await tables(hobbs)
        assert code == 0, said
        assert {name: row["same"] for name, row in seen.items()} == dict.fromkeys(seen, "yes")
        assert seen["bill"]["rebuilt"] == 32
        assert seen["waiting_revision"]["rebuilt"] == seen["dead_letter"]["rebuilt"] == 1
        assert "events for journal.requested thrown away" in said
        refused = await hobbs("rebuild", "billing", *STOPPED)
        assert refused.exit_code == 1
        assert "stop its workers first" in refused.stderr
        await school.publish(*(flown(f"G{n}") for n in range(5)))
        await school.until(BILLS, 37)
    published = await _records(school, "journal.requested")
    before = await school.rows(
        "SELECT id, flight_id, revision, charge, billed_at FROM billing.bill ORDER BY id"
    )
    await school.publish(*(flown(f"H{n}") for n in range(5)))  # while nobody reads

    swapped = await hobbs("rebuild", "billing", *STOPPED)
    assert swapped.exit_code == 0, swapped.stderr
    assert before == await school.rows(EVERY_BILL)
    assert await school.number("SELECT count(*) FROM billing_before.bill") == 37
    assert await _records(school, "journal.requested") == published
    async with school.billing_at_work():
        await school.publish(flown("H5"), flown("F1"))
        await school.until(BILLS, 43)
        await asyncio.sleep(1.0)
    assert await _records(school, "journal.requested") == published + 6
    assert await school.number(BILLS) == 43
    assert (await hobbs("rebuild", "billing", "--drop")).exit_code == 0
    assert await school.rows(OTHERS) == []
    said_by = await school.rows("SELECT obj_description('billing'::regnamespace) AS said")
    assert "swapped in by ann" in said_by[0]["said"]


async def _records(school: School, topic: str) -> int:
    async with reading.open_reader(school.settings) as reader:
        return sum((await reader.ends_of(school.settings.topic_prefix + topic)).values())


@pytest.fixture
async def billed(school: School) -> School:
    """Its last flight was stamped before a version of the book, and handled after it."""
    async with school.billing_at_work():
        await a_month(school)
    later = CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"rate_per_hour": 21_000}}
    await school.publish(flown("F40"))
    await school.publish(book(3, [later]))
    async with school.billing_at_work():
        await school.until(BILLS, 33)
    assert await school.number("SELECT school_version FROM billing.bill WHERE flight_id = 'F40'") == 3
    return school


async def test_what_the_service_did_not_believe_is_not_believed_when_it_is_made_anew(
    school: School, hobbs: Hobbs
) -> None:
    """Versions of before there were keys are in the book; a forged one is a letter, on both sides."""
    async with school.billing_at_work():
        await a_month(school)
    keys = publishers_keys("billing", {"billing": ["the key of billing, and no other"]})
    dearer = CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"rate_per_hour": 90_000}}
    async with school.billing_at_work(keys=keys):
        await school.publish(book(3, [dearer]))
        await school.until("SELECT count(*) FROM billing.dead_letter WHERE reason = 'not_proved'", 1)
    code, seen, said = await tables(hobbs)
    assert code == 0, said
    assert {name: row["same"] for name, row in seen.items()} == dict.fromkeys(seen, "yes")
    assert seen["school_version"]["rebuilt"] == await school.number("SELECT version FROM billing.book")


async def test_a_row_that_was_changed_by_hand_is_found_and_put_right_only_when_told(
    billed: School, hobbs: Hobbs
) -> None:
    async with billed.owner.transaction() as tx:
        await tx.execute(
            "UPDATE billing.bill SET charge = charge + 1, margin = margin + 1 WHERE flight_id = 'F7'"
        )
        await tx.execute("DELETE FROM billing.bill WHERE flight_id = 'F8'")
    code, seen, said = await tables(hobbs)
    assert (code, seen["bill"]["differing"], seen["card_version"]["differing"]) == (1, 2, 0)
    assert "only rebuilt" in said
    assert "charge 36152 live, 36151 rebuilt" in said
    refused = await hobbs("rebuild", "billing", *STOPPED)
    assert (refused.exit_code, "nothing was changed" in refused.stderr) == (1, True)
    assert await billed.number(BILLS) == 32
    done = await hobbs("rebuild", "billing", *STOPPED, "--although-different")
    assert done.exit_code == 0, done.stderr
    assert await billed.rows(TWO) == [
        {"flight_id": "F7", "charge": 36151},
        {"flight_id": "F8", "charge": 36151},
    ]


async def test_killed_in_the_middle_it_goes_on_where_it_was(
    billed: School, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    passed = 0
    real = positions.write

    async def dies(*arguments: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == 3:
            raise Killed
        await real(*arguments)

    monkeypatch.setattr(positions, "write", dies)
    with pytest.raises(Killed):
        await hobbs("rebuild", "billing")
    monkeypatch.setattr(positions, "write", real)
    some = await billed.number("SELECT count(*) FROM billing_rebuilt.inbox")
    assert 0 < some < await billed.number("SELECT count(*) FROM billing.inbox")
    code, seen, said = await tables(hobbs)
    assert (code, {row["same"] for row in seen.values()}) == (0, {"yes"}), said


async def test_what_only_one_process_admitted_after_its_last_written_place_is_made_too(
    billed: School, hobbs: Hobbs
) -> None:
    """A killed worker's places are a second behind what it committed."""
    async with billed.owner.transaction() as tx:
        await tx.execute("UPDATE billing.topic_position SET next_offset = 0 WHERE topic = 'flight.completed'")
        await tx.execute(UNSENT)
    published = await _records(billed, "journal.requested")
    done = await hobbs("rebuild", "billing", *STOPPED)
    assert done.exit_code == 0, done.stderr
    assert await billed.number(BILLS) == 33
    async with billed.billing_at_work():
        await asyncio.sleep(5)
    assert await _records(billed, "journal.requested") == published + 1, (
        "what waited in the outbox, and no more"
    )


async def test_the_page_says_what_can_be_typed(billed: School, hobbs: Hobbs) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert len(lines) == 4
    for line in lines:
        result = await hobbs(*shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.stderr)


async def test_nothing_is_made_by_a_process_with_stripes_key(
    billed: School, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_PAYOUTS_STRIPE_SECRET_KEY", "sk_test_1")
    result = await hobbs("rebuild", "billing")
    assert (result.exit_code, "could call Stripe" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--swap",), "name the service"),
        (("billing", "--drop", "--swap", "--why", "x"), "it stands alone"),
        (("billing", "--drop", "--anew"), "it stands alone"),
        (("billing", "--although-different"), "is of --swap"),
        (("nobody",), "'nobody' is not one of"),
        (("billing", "--swap", "--why", ""), "say why"),
    ],
)
async def test_options_that_contradict_each_other_do_nothing(
    hobbs: Hobbs, arguments: tuple[str, ...], sentence: str
) -> None:
    """`--drop --swap` threw away what was replaced, without a question."""
    result = await hobbs("rebuild", *arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_which_services_can_be_made_anew_follows_from_the_table_of_topics() -> None:
    assert [one.service for one in all_sources() if not one.against] == ["billing"]
    assert sources_of("ledger").to_keep == (
        *("journal.requested", "revert.requested", "group.requested", "hold.requested", "limit.requested"),
    )
    assert sources_of("adjustments").to_keep == ("journal.refused",)
    assert "Stripe's answers" in sources_of("payouts").against[0]
    assert "over HTTP" in sources_of("gateway").against[0]


async def test_the_command_says_which_can_and_what_would_have_to_be_kept(hobbs: Hobbs) -> None:
    shown = await hobbs("rebuild", "-o", "json")
    rows = {row["service"]: row for row in json.loads(shown.stdout)}
    assert set(rows) == set(SERVICES)
    assert rows["billing"]["can"] == "yes"
    assert "not kept for ever: journal.refused" in rows["adjustments"]["against"]
    for service in SERVICES:
        if service != "billing":
            refused = await hobbs("rebuild", service)
            assert (refused.exit_code, "cannot be made anew" in refused.stderr) == (2, True)
