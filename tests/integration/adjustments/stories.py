"""Revisions as billing publishes them, the ledger's answers, and what adjustments made of both."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from fleet.database import Database
from fleet.envelope import Record
from schemas.decisions import DecisionTaken
from schemas.flights import BilledEntry, FlightRevised
from schemas.journals import JournalPosted, JournalRefused, PostedEntry
from schemas.school import SchoolAccepted, SchoolChange
from services.adjustments.desk.decisions import ACTIONS
from services.adjustments.handlers import follow_book, propose_revisions, take_posted, take_refused
from tests.support.decisions import answered, decision
from tests.support.records import record

NOW = datetime.now(UTC)  # an invariant compares with the database's clock
YESTERDAY = (NOW - timedelta(days=1)).date().isoformat()
FIRST = {"student:anna": -20_000, "instructor:ines": 8_750, "platform:school": 11_250}
LESS = {"student:anna": -16_000, "instructor:ines": 7_000, "platform:school": 9_000}  # a fifth less
MORE = {"student:anna": -120_000, "instructor:ines": 52_500, "platform:school": 67_500}
SLIGHTLY_LESS = {"student:anna": -19_000, "instructor:ines": 8_313, "platform:school": 10_687}


def revised(
    revision: int = 2,
    entries: Mapping[str, int] = LESS,
    *,
    flight: str = "F1",
    first: Mapping[str, int] = FIRST,
    made_by: str = "dispatch",
    student: str = "anna",
    flown_on: str = YESTERDAY,
    ce_id: str | None = None,
    **changed: Any,
) -> Record:
    """A `flight.revised` record."""
    event = FlightRevised.model_validate(
        {
            "flight_id": flight,
            "revision": revision,
            "kind": "corrected" if entries else "cancelled",
            "bill_id": uuid5(NAMESPACE_URL, f"{flight}:{revision}"),
            "currency": "USD",
            "first_source": f"flight:{flight}:1",
            "first_entries": [BilledEntry(wallet=w, amount=a) for w, a in first.items()],
            "entries": [BilledEntry(wallet=w, amount=a) for w, a in entries.items()],
            "student_before": "anna",
            "student": student,
            "flown_on": flown_on,
            "occurred_at": "2026-05-22T16:45:00Z",
            "priced_by": "bill",
            "reason": "digits swapped",
            "made_by": made_by,
            **changed,
        }
    )
    return record("flight.revised", event, key=flight, ce_id=ce_id, ce_source="hobbs/billing")


def posted(source: str, entries: Mapping[str, int]) -> Record:
    """A `journal.posted` record; a source's journal has one id."""
    event = JournalPosted(
        journal_id=uuid5(NAMESPACE_URL, source),
        source=source,
        event_type=source.partition(":")[0],
        currency="USD",
        occurred_at=NOW,
        recorded_at=NOW,
        entries=[PostedEntry(wallet=w, amount=a, balance_after=a, version=1) for w, a in entries.items()],
    )
    return record("journal.posted", event, key=source, ce_source="hobbs/ledger")


def refused(source: str, sentence: str = "wallet student:anna would fall below its limit") -> Record:
    """A `journal.refused` record."""
    event = JournalRefused(source=source, event_type="adjustment", reason="limit_exceeded", sentence=sentence)
    return record("journal.refused", event, key=source, ce_source="hobbs/ledger")


def policy(version: int = 1, *, effective_from: str = "2026-01-01", **settings: Any) -> Record:
    """A `school.accepted` record with a policy card; the school is in New York."""
    school = {"name": "S", "time_zone": "America/New_York", "currency": "USD"}
    changes = [
        SchoolChange.model_validate(
            {"kind": "school", "key": "school", "effective_from": "2026-01-01", "new": school}
        ),
        SchoolChange.model_validate(
            {
                "kind": "adjustments",
                "key": "adjustments",
                "effective_from": effective_from,
                "new": settings or None,
            }
        ),
    ]
    event = SchoolAccepted(
        version=version, base_version=version - 1, who="finance", why="a test", at=NOW, changes=changes
    )
    return record("school.accepted", event, key="school", ce_source="hobbs/billing")


async def given_policy(db: Database, **settings: Any) -> None:
    await follow_book(db, [policy(**settings)])


async def propose(db: Database, *records: Record, now: datetime = NOW) -> None:
    await propose_revisions(db, list(records), clock=lambda: now)


_ANSWERED = """
    SELECT source FROM posted_journal UNION ALL
    SELECT 'adjustment:' || flight_id || ':' || revision FROM adjustment JOIN adjustment_history AS step
        ON step.adjustment_id = adjustment.id
    WHERE step.to_state = 'failed' AND state <> 'approved'
"""


async def answer_ledger(db: Database, *, now: datetime = NOW) -> list[str]:
    """Post every journal that was asked for and not answered yet, as the ledger does; their sources."""
    async with db.transaction() as tx:
        known = {row.source for row in await tx.all(_ANSWERED)}
    asked = {journal["source"]: journal for journal in await staged(db, "journal.requested")}
    new = {source: journal for source, journal in asked.items() if source not in known}
    records = [
        posted(source, {entry["wallet"]: entry["amount"] for entry in journal["entries"]})
        for source, journal in new.items()
    ]
    await take_posted(db, records, clock=lambda: now)
    return sorted(new)


async def refuse_journal(db: Database, source: str, *, now: datetime = NOW) -> None:
    await take_refused(db, [refused(source)], clock=lambda: now)


async def decide(
    db: Database, action: str, name: str, who: str, why: str = "checked", **told: Any
) -> DecisionTaken:
    return await answered(db, ACTIONS, decision("adjustments", action, name, who=who, why=why, **told))


async def staged(db: Database, topic: str) -> list[dict[str, Any]]:
    """Bodies staged for a topic, in their order."""
    async with db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
    return [orjson.loads(row.value) for row in rows]


async def states(db: Database) -> dict[str, str]:
    """Where each adjustment stands, by name; "posted" also when the money follows, or has followed."""
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT flight_id, revision, CASE WHEN journal_id IS NULL THEN state ELSE 'posted' END AS state"
            " FROM adjustment ORDER BY flight_id, revision"
        )
    return {f"{row.flight_id}:{row.revision}": row.state for row in rows}


async def steps_of(db: Database, name: str) -> list[tuple[str | None, str, str]]:
    """An adjustment's history until it was posted: from, to, by whom."""
    flight_id, _, revision = name.rpartition(":")
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT from_state, to_state, who FROM adjustment_history JOIN adjustment"
            " ON adjustment.id = adjustment_id WHERE flight_id = :flight AND revision = :revision"
            " ORDER BY adjustment_history.id",
            flight=flight_id,
            revision=int(revision),
        )
    return [(r.from_state, r.to_state, r.who) for r in rows if r.to_state not in ("settling", "settled")]


async def differences(db: Database, name: str) -> dict[str, int]:
    """What an adjustment adds to what stands."""
    flight_id, _, revision = name.rpartition(":")
    async with db.transaction() as tx:
        row = await tx.one(
            "SELECT differences FROM adjustment WHERE flight_id = :flight AND revision = :revision",
            flight=flight_id,
            revision=int(revision),
        )
    return dict(row.differences)


async def journals(db: Database) -> dict[str, dict[str, int]]:
    """What was asked of the ledger, by source; asked twice it must be the same."""
    asked: dict[str, dict[str, int]] = {}
    for journal in await staged(db, "journal.requested"):
        entries = {entry["wallet"]: entry["amount"] for entry in journal["entries"]}
        assert asked.setdefault(journal["source"], entries) == entries
    return asked


async def standing(db: Database, first: Mapping[str, int] = FIRST) -> dict[str, int]:
    """What a ledger holds that posted the first bill and everything that was asked for."""
    total = Counter(dict(first))
    for entries in (await journals(db)).values():
        total.update(entries)
    return {wallet: amount for wallet, amount in total.items() if amount}
