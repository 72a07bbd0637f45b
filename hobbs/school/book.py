"""The school's book for the operator: read it from billing, publish a change, wait until it is applied."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from fleet.cause import Cause
from fleet.database import Tx
from fleet.envelope import Message, first_cause
from fleet.kafka_client import publish_once
from fleet.settings import Settings
from hobbs.school.difference import Difference
from hobbs.shell.connections import acting_as
from schemas.school import SchoolChange, SchoolConfigured
from schemas.topics import TOPICS
from services.billing import store

TOPIC = TOPICS["school.configured"]
CHANGES_IN_ONE_EVENT = 200
POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCard:
    """A dated card that stands in the book."""

    kind: str
    key: str
    effective_from: date
    version: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The book as billing has it."""

    version: int
    cards: Sequence[StandingCard]

    def currency(self) -> str:
        """The school's currency; USD before there is a school."""
        return next((str(c.document["currency"]) for c in self.cards if c.kind == "school"), "USD")

    def time_zone(self) -> str:
        """The school's time zone; UTC before there is a school."""
        return next((str(c.document["time_zone"]) for c in self.cards if c.kind == "school"), "UTC")


async def read_standing(settings: Settings) -> Standing:
    """Read the whole book."""
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        version, rows = await store.whole_book(tx)
    cards = [StandingCard(**{**row._mapping, "document": store.opened(row.document)}) for row in rows]
    return Standing(version=version, cards=cards)


async def read_history(settings: Settings, kind: str | None, key: str | None) -> list[dict[str, Any]]:
    """Every version of every card (of a kind, of a key), with who, when, why, old and new."""
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        rows = await store.history(tx, kind, key)
    return [{**r._mapping, "old": store.opened(r.old), "new": store.opened(r.new)} for r in rows]


async def bills_that_stay(
    settings: Settings, changed: Sequence[Difference]
) -> dict[tuple[str, str, date], int]:
    """For each changed card, how many bills from its date on were made before the change."""
    places = [(d.kind, d.key, d.effective_from) for d in changed]
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        rows = await store.bills_priced_by(tx, places)
    return {(r.kind, r.key, r.effective_from): r.bills for r in rows}


def change_events(
    changed: Sequence[Difference], base_version: int, *, who: str, why: str, at: datetime
) -> list[SchoolConfigured]:
    """The change as events, one version after the other: few changes are one, thousands several."""
    parts = [changed[i : i + CHANGES_IN_ONE_EVENT] for i in range(0, len(changed), CHANGES_IN_ONE_EVENT)]
    return [
        SchoolConfigured(
            version=base_version + n + 1,
            base_version=base_version + n,
            who=who,
            why=why,
            at=at,
            changes=[
                SchoolChange.model_validate(
                    {
                        "kind": d.kind,
                        "key": d.key,
                        "effective_from": d.effective_from,
                        "old": d.old,
                        "new": d.new,
                    }
                )
                for d in part
            ],
        )
        for n, part in enumerate(parts)
    ]


async def publish(settings: Settings, events: Sequence[SchoolConfigured]) -> list[UUID]:
    """Publish the events in their order; their ids, once Kafka has acknowledged them all."""
    cause: Cause = first_cause()
    messages = [Message(topic=TOPIC.name, key="school", event=event, cause=cause) for event in events]
    await publish_once(settings, messages, service="operator")
    return [message.event_id for message in messages]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How far a published change is: refused with a sentence, or the services that have not read it yet."""

    refused: str | None
    waiting_for: Sequence[str]


async def wait_until_applied(settings: Settings, events: Sequence[UUID], *, seconds: float) -> Arrival:
    """Wait until every consuming service has admitted the events, or one of them refused."""
    deadline = time.monotonic() + seconds
    while True:
        arrival = await _look(settings, events)
        if arrival.refused or not arrival.waiting_for or time.monotonic() >= deadline:
            return arrival
        await asyncio.sleep(POLL_S)


async def _look(settings: Settings, events: Sequence[UUID]) -> Arrival:
    waiting = []
    for service in TOPIC.consumers:
        async with acting_as(settings, service) as database, database.transaction() as tx:
            refused = await _refusal(tx, events)
            if refused:
                return Arrival(refused=f"{service}: {refused}", waiting_for=[])
            if not await _admitted(tx, events):
                waiting.append(service)
    return Arrival(refused=None, waiting_for=waiting)


async def _refusal(tx: Tx, events: Sequence[UUID]) -> str | None:
    row = await tx.first(
        "SELECT sentence FROM dead_letter WHERE event_key = ANY (CAST(:events AS uuid[])) LIMIT 1",
        events=list(events),
    )
    return row.sentence if row else None


async def _admitted(tx: Tx, events: Sequence[UUID]) -> bool:
    row = await tx.one(
        "SELECT count(*) AS admitted FROM inbox WHERE event_key = ANY (CAST(:events AS uuid[]))",
        events=list(events),
    )
    return bool(row.admitted == len(events))


def now() -> datetime:
    """This instant, as an event states it."""
    return datetime.now(UTC).replace(microsecond=0)
