"""Positions by journals, the reserve's health, and the gate that follows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from prometheus_client import REGISTRY

from fleet.database import Database
from fleet.envelope import Record, uuid7
from schemas.journals import JournalPosted, PostedEntry
from schemas.school import SchoolAccepted, SchoolChange
from services.reserves import handlers
from tests.support.records import record
from tests.support.reserves import balance_read


def book(version: int = 1, **policy: Any) -> Record:
    begin = date(2020, 1, 1)
    school = {"name": "A school", "time_zone": "UTC", "currency": "USD"}
    event = SchoolAccepted(
        version=version,
        base_version=version - 1,
        who="finance",
        why="test",
        at=datetime.now(UTC),
        changes=[
            SchoolChange(kind="school", key="school", effective_from=begin, new=school),
            SchoolChange(kind="reserve", key="reserve", effective_from=begin, new=policy),
        ],
    )
    return record("school.accepted", event, key="school")


def posted(entries: dict[str, int], *, journal: Any = None, event_type: str = "flight") -> Record:
    now = datetime.now(UTC)
    event = JournalPosted(
        journal_id=journal or uuid7(),
        source=f"{event_type}:{uuid7()}",
        event_type=event_type,
        currency="USD",
        occurred_at=now,
        recorded_at=now,
        entries=[
            PostedEntry(wallet=wallet, amount=amount, balance_after=0, version=1)
            for wallet, amount in entries.items()
        ],
    )
    return record("journal.posted", event, key=event.source)


async def published(db: Database, topic: str) -> list[dict[str, Any]]:
    async with db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
    return [orjson.loads(row.value) for row in rows]


async def test_a_journal_published_again_after_a_restore_is_in_the_positions_once(db: Database) -> None:
    """The ledger was restored: the same journal comes in an event with another id."""
    journal = uuid7()
    entries = {"student:anna": -9_000, "instructor:ines": 9_000}
    await handlers.take_journals(db, [posted(entries, journal=journal)])
    await handlers.take_journals(db, [posted(entries, journal=journal)])
    await handlers.take_journals(db, [posted(entries)])
    async with db.transaction() as tx:
        rows = await tx.all("SELECT wallet, amount FROM position ORDER BY wallet")
    assert {row.wallet: row.amount for row in rows} == {"instructor:ines": 18_000, "student:anna": -18_000}


async def test_a_reading_is_judged_and_the_gate_says_how_much_may_go(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000)])
    held = {"under_way": 5_000, "allowed_until_now": 70_000}
    await handlers.take_balance(db, [balance_read(1, 100_000, **held)])
    [gate] = await published(db, "reserve.gate")
    assert (gate["state"], gate["ceiling"], gate["balance_number"]) == ("open", 70_000 + 65_000, 1)
    [changed] = await published(db, "reserve.changed")
    assert (changed["health"], changed["was"], changed["free"], changed["minimum"]) == (
        "healthy",
        "unknown",
        95_000,
        30_000,
    )
    await handlers.judge(db)
    assert len(await published(db, "reserve.gate")) == 1


async def test_what_is_owed_raises_what_must_stay(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum_share_ppm=500_000, count_tax=False)])
    await handlers.take_balance(db, [balance_read(1, 100_000)])
    owed = {
        "student:anna": 40_000,
        "instructor:ines": 10_001,
        "liability:tax": 999,
        "platform:school": -51_000,
    }
    await handlers.take_journals(db, [posted(owed)])
    await handlers.judge(db)
    gates = await published(db, "reserve.gate")
    assert [gate["ceiling"] for gate in gates] == [100_000, 100_000 - 25_001]
    assert gates[1]["number"] > gates[0]["number"]


async def test_a_closed_gate_opens_only_above_its_limit(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=10_000)])
    for number, available in enumerate((9_999, 10_999, 11_000, 10_000), start=1):
        await handlers.take_balance(db, [balance_read(number, available)])
    assert [gate["state"] for gate in await published(db, "reserve.gate")] == [
        "closed",
        "closed",
        "open",
        "open",
    ]
    assert [one["health"] for one in await published(db, "reserve.changed")] == ["critical", "warning"]


async def test_a_balance_that_is_too_old_is_not_believed(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=10_000)])
    await handlers.take_balance(db, [balance_read(1, 50_000)])
    later = datetime.now(UTC) + timedelta(minutes=16)
    await handlers.judge(db, clock=lambda: later)
    last = (await published(db, "reserve.changed"))[-1]
    assert (last["health"], last["blocks_transfers"]) == ("unknown", True)
    assert len(await published(db, "reserve.gate")) == 1


async def test_an_older_reading_changes_nothing(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=10_000)])
    await handlers.take_balance(db, [balance_read(2, 50_000)])
    await handlers.take_balance(db, [balance_read(1, 90_000)])
    assert [gate["ceiling"] for gate in await published(db, "reserve.gate")] == [40_000]


async def test_a_withdrawn_card_takes_the_gate_away(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=10_000)])
    await handlers.take_balance(db, [balance_read(1, 5_000)])
    withdrawn = SchoolAccepted(
        version=2,
        base_version=1,
        who="finance",
        why="test",
        at=datetime.now(UTC),
        changes=[
            SchoolChange(
                kind="reserve", key="reserve", effective_from=date(2020, 1, 1), old={"minimum": 10_000}
            )
        ],
    )
    await handlers.follow_book(db, [record("school.accepted", withdrawn, key="school")])
    assert [gate["state"] for gate in await published(db, "reserve.gate")] == ["closed", "off"]


def sample_value(name: str, labels: dict[str, str] | None = None) -> float | None:
    return REGISTRY.get_sample_value(name, labels or {})


async def test_the_gauges_say_how_the_reserve_stands(db: Database) -> None:
    await handlers.measure_reserve(db)
    assert sample_value("reserves_health", {"health": "healthy"}) == 0
    await handlers.follow_book(db, [book(minimum=10_000)])
    await handlers.take_balance(db, [balance_read(1, 9_000)])
    await handlers.measure_reserve(db)
    assert sample_value("reserves_health", {"health": "critical"}) == 1
    assert sample_value("reserves_gate_closed") == 1
    assert (sample_value("reserves_free_minor_units"), sample_value("reserves_minimum_minor_units")) == (
        9_000,
        10_000,
    )
