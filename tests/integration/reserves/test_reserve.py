"""Positions by journals, the reserve's health, and the gate that follows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from prometheus_client import REGISTRY

from fleet.database import Database
from fleet.decisions import Decision, Person, Ruling
from fleet.envelope import Record, uuid7
from schemas.journals import JournalPosted, PostedEntry
from schemas.school import SchoolAccepted, SchoolChange
from services.reserves import handlers
from services.reserves.desk import reads
from services.reserves.desk.decisions import ACTIONS
from tests.support.invariants import broken_invariants
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


async def test_what_had_left_when_the_balance_was_read_closes_no_gate(db: Database) -> None:
    """It is taken off twice at the first reading; at the next nothing of it is under way."""
    await handlers.follow_book(db, [book(minimum=10_000)])
    await handlers.take_balance(db, [balance_read(1, 10_500, under_way=4_000, allowed_until_now=4_000)])
    await handlers.take_balance(db, [balance_read(2, 10_500, allowed_until_now=4_000)])
    gates = await published(db, "reserve.gate")
    assert [(gate["state"], gate["ceiling"]) for gate in gates] == [("open", 500), ("open", 4_500)]
    await handlers.take_balance(db, [balance_read(3, 9_999, allowed_until_now=4_000)])
    assert (await published(db, "reserve.gate"))[-1]["state"] == "closed"


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


async def test_an_alert_is_raised_once_acknowledged_and_resolved_by_itself(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=10_000)])
    for number, available in enumerate((5_000, 4_000), start=1):
        await handlers.take_balance(db, [balance_read(number, available)])
    [alert] = await alerts(db)
    assert (alert["kind"], alert["severity"], alert["resolved_at"]) == ("short", "critical", None)
    assert (await decided(db, "acknowledge_alert", str(alert["id"]), "ann", why="")).done is False
    assert (await decided(db, "acknowledge_alert", str(alert["id"]), "ann", why="the bank sends")).done
    assert (await decided(db, "acknowledge_alert", str(alert["id"]), "ben", why="me too")).done is False
    await handlers.take_balance(db, [balance_read(3, 50_000)])
    [alert] = await alerts(db)
    assert (alert["acknowledged_by"], alert["note"]) == ("ann", "the bank sends")
    assert alert["resolved_at"] is not None
    assert await broken_invariants(db) == {}
    await handlers.take_balance(db, [balance_read(4, 1_000)])
    assert [one["resolved_at"] is None for one in await alerts(db)] == [True, False]


async def test_a_person_opens_the_gate_for_a_time_and_above_a_limit_two_do(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000, opened_by_one_up_to=1_000)])
    await handlers.take_balance(db, [balance_read(1, 20_000)])
    until = datetime.now(UTC) + timedelta(hours=1)
    small: dict[str, Any] = {"amount": 1_000, "until": until.isoformat()}
    large = {**small, "amount": 19_000}
    assert (await decided(db, "open_gate", "USD", "ann", **small)).done
    assert await ceilings(db) == [-10_000, -9_000]
    assert (await decided(db, "open_gate", "USD", "ann", **large)).done
    assert await ceilings(db) == [-10_000, -9_000]
    async with db.transaction() as tx:
        opening = str((await tx.one("SELECT id FROM opening WHERE needs_second")).id)
    assert not (await decided(db, "approve_opening", opening, "Ann ")).done
    assert (await decided(db, "approve_opening", opening, "ben")).done
    assert await ceilings(db) == [-10_000, -9_000, 10_000]
    assert (await published(db, "reserve.gate"))[-1]["state"] == "open"
    assert (await published(db, "reserve.changed"))[-1]["health"] == "critical"
    async with db.transaction() as tx:
        await tx.execute("UPDATE balance SET read_at = now() + interval '61 minutes'")
    await handlers.judge(db, clock=lambda: until + timedelta(seconds=1))
    assert (await ceilings(db))[-1] == -10_000


async def test_small_openings_by_one_person_come_to_no_large_one(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000, opened_by_one_up_to=1_000)])
    await handlers.take_balance(db, [balance_read(1, 20_000)])
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    first = await decided(db, "open_gate", "USD", "ann", amount=600, until=until)
    second = await decided(db, "open_gate", "USD", "ann", amount=600, until=until)
    assert ("in force" in first.sentence, "waits for a second person" in second.sentence) == (True, True)
    assert await ceilings(db) == [-10_000, -9_400]
    async with db.transaction() as tx:
        opening = str((await tx.one("SELECT id FROM opening WHERE NOT needs_second")).id)
    assert (await decided(db, "close_opening", opening, "ben")).done
    assert not (await decided(db, "close_opening", opening, "ben")).done
    assert (await ceilings(db))[-1] == -10_000


async def test_nobody_agrees_to_what_is_over_or_in_force(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000, opened_by_one_up_to=1_000)])
    await handlers.take_balance(db, [balance_read(1, 20_000)])
    until = datetime.now(UTC) + timedelta(hours=1)
    await decided(db, "open_gate", "USD", "ann", amount=1_000, until=until.isoformat())
    await decided(db, "open_gate", "USD", "ann", amount=5_000, until=until.isoformat())
    small, large = [str(row["id"]) for row in sorted(await openings(db), key=lambda row: row["amount"])]
    assert "in force already" in (await decided(db, "approve_opening", small, "ben")).sentence
    later = until + timedelta(seconds=1)
    assert not (await decided(db, "approve_opening", large, "ben", now=later)).done
    assert not (await decided(db, "approve_opening", "no-id", "ben")).done
    assert await ceilings(db) == [-10_000, -9_000]


async def test_the_gauges_say_who_has_to_look_and_how_far_the_gate_is_open(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000, opened_by_one_up_to=1_000)])
    await handlers.take_balance(db, [balance_read(1, 20_000)])
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await decided(db, "open_gate", "USD", "ann", amount=1_000, until=until)
    await handlers.measure_reserve(db)
    names = ("reserves_alerts_unacknowledged", "reserves_opened_minor_units")
    assert [sample_value(name) for name in names] == [1, 1_000]
    [alert] = await alerts(db)
    await decided(db, "acknowledge_alert", str(alert["id"]), "ann", why="I know")
    await handlers.measure_reserve(db, clock=lambda: datetime.now(UTC) + timedelta(hours=2))
    assert [sample_value(name) for name in names] == [0, 0]


async def test_an_opening_needs_a_reason_an_amount_and_an_end(db: Database) -> None:
    await handlers.follow_book(db, [book(minimum=30_000)])
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    late = (datetime.now(UTC) + timedelta(days=8)).isoformat()
    assert not (await decided(db, "open_gate", "EUR", "ann", amount=1, until=soon)).done
    assert not (await decided(db, "open_gate", "USD", "ann", amount=0, until=soon)).done
    assert not (await decided(db, "open_gate", "USD", "ann", amount=1, until=late)).done
    assert not (await decided(db, "open_gate", "USD", "ann", why=" ", amount=1, until=soon)).done
    for no_amount in (500.9, "500", True, 10**16):
        assert not (await decided(db, "open_gate", "USD", "ann", amount=no_amount, until=soon)).done
    for no_alert in ("9" * 30, "٣", "-1", "none"):
        assert "there is no alert" in (await decided(db, "acknowledge_alert", no_alert, "ann")).sentence


async def alerts(db: Database) -> list[dict[str, Any]]:
    async with db.transaction() as tx:
        return await reads.alerts.list_alerts(tx, every=True)


async def openings(db: Database) -> list[dict[str, Any]]:
    async with db.transaction() as tx:
        return await reads.alerts.list_openings(tx)


async def ceilings(db: Database) -> list[int]:
    return [gate["ceiling"] for gate in await published(db, "reserve.gate")]


async def decided(
    db: Database,
    action: str,
    about: str,
    who: str,
    why: str = "a test",
    now: datetime | None = None,
    **parameters: Any,
) -> Ruling:
    decision = Decision(
        decision_id=uuid7(),
        action=action,
        object=about,
        parameters=parameters,
        who=Person(name=who, roles=frozenset({"operator"}), channel="test"),
        why=why,
        dry_run=False,
        requested_at=datetime.now(UTC),
    )
    async with db.transaction() as tx:
        return await ACTIONS[action].judge(tx, decision, now or datetime.now(UTC))
