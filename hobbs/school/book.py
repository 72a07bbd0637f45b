"""Asks billing for the school's book, publishes a change of it, and waits until every service has it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from fleet import dead_letters, inbox
from fleet.cause import Cause
from fleet.envelope import Message, first_cause
from fleet.grants import OPERATOR
from fleet.kafka_client import publish_once
from fleet.settings import Settings
from hobbs.school.contacts import KeptContact
from hobbs.school.difference import Difference
from hobbs.shell.connections import reading
from schemas.contacts import ContactChanged
from schemas.school import SchoolChange, SchoolConfigured
from schemas.topics import TOPICS
from services.billing.desk import reads
from services.billing.desk.reads import CardHistory, WholeBook
from services.billing.domain.versions import accepted_event_id
from services.payouts.desk.reads import contacts

TOPIC = TOPICS["school.configured"]
ACCEPTED = TOPICS["school.accepted"]
CONTACTS = TOPICS["contact.changed"]
CHANGES_IN_ONE_EVENT = 200
POLL_S = 0.1


async def read_book(settings: Settings) -> WholeBook:
    """Read the whole book as it stands."""
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.whole_book(tx)


async def read_contacts(settings: Settings) -> dict[str, KeptContact]:
    """What is kept of people, by wallet; who was erased is there with nothing else."""
    async with reading(settings, role=OPERATOR) as database, database.transaction() as tx:
        return {
            row.wallet: KeptContact(
                full_name=row.full_name or "", email=row.email or "", erased_at=row.erased_at
            )
            for row in await contacts.every(tx)
        }


async def read_history(settings: Settings, kind: str | None, key: str | None) -> list[CardHistory]:
    """Every version of every card (of a kind, of a key), with who, when, why, old and new."""
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.card_history(tx, kind=kind, key=key)


async def bills_that_stay(
    settings: Settings, changed: Sequence[Difference]
) -> dict[tuple[str, str, date], int]:
    """For each changed card (kind, key, date), how many bills from its date on there are already."""
    places = [(d.kind, d.key, d.effective_from) for d in changed]
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.bills_priced_by(tx, places)


def change_events(
    changed: Sequence[Difference], base_version: int, *, who: str, why: str, at: datetime
) -> list[SchoolConfigured]:
    """The change as events, each a version of the book, of at most CHANGES_IN_ONE_EVENT cards."""
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


async def publish_contacts(settings: Settings, events: Sequence[ContactChanged]) -> list[UUID]:
    """Publish what is stated of people; the events' ids, once Kafka has acknowledged them all."""
    cause: Cause = first_cause()
    messages = [Message(topic=CONTACTS.name, key=one.wallet, event=one, cause=cause) for one in events]
    await publish_once(settings, messages, service="operator")
    return [message.event_id for message in messages]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What became of a published change: why it was refused, and the services that have not read it yet."""

    refused: str | None
    waiting_for: Sequence[str]


async def wait_until_applied(
    settings: Settings, events: Sequence[UUID], *, seconds: float, of_contacts: bool = False
) -> Arrival:
    """Wait until every consuming service has admitted the events, or one of them refused.

    of_contacts: they are of `contact.changed`, and not versions of the book.
    """
    deadline = time.monotonic() + seconds
    readers = _readers_of_contacts(events) if of_contacts else _readers_of_book(events)
    while True:
        arrival = await _look(settings, readers)
        if arrival.refused or not arrival.waiting_for or time.monotonic() >= deadline:
            return arrival
        await asyncio.sleep(POLL_S)


_Readers = Sequence[tuple[str, Sequence[UUID]]]


def _readers_of_book(events: Sequence[UUID]) -> _Readers:
    """The service that judges the events, then those that follow what it accepted."""
    accepted = [accepted_event_id(event) for event in events]
    judges = [(service, events) for service in TOPIC.consumers]
    return [*judges, *((service, accepted) for service in ACCEPTED.consumers)]


def _readers_of_contacts(events: Sequence[UUID]) -> _Readers:
    return [(service, events) for service in CONTACTS.consumers]


async def _look(settings: Settings, readers: _Readers) -> Arrival:
    waiting = []
    for service, expected in readers:
        async with reading(settings, service) as database, database.transaction() as tx:
            refused = await dead_letters.sentence_of(tx, expected)
            if refused:
                return Arrival(refused=f"{service}: {refused}", waiting_for=[])
            if await inbox.count_admitted(tx, expected) < len(expected):
                waiting.append(service)
    return Arrival(refused=None, waiting_for=waiting)


def now() -> datetime:
    """This instant, as an event states it."""
    return datetime.now(UTC).replace(microsecond=0)
