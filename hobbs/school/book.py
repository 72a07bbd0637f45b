"""Reads the school's book, says what billing is asked to change, and waits until every service has it."""

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
from hobbs.shell.connections import may_not_act, reading
from hobbs.shell.decisions import Question, vouch_for
from schemas.contacts import ContactChanged
from schemas.topics import TOPICS
from services.billing.desk import reads
from services.billing.desk.book import BOOK, CARDS_MAX
from services.billing.desk.reads import CardHistory, WholeBook
from services.billing.domain.versions import accepted_event_id
from services.payouts.desk.reads import contacts

ACCEPTED = TOPICS["school.accepted"]
CONTACTS = TOPICS["contact.changed"]
POLL_S = 0.1


async def read_book(settings: Settings) -> WholeBook:
    """Read the whole book as it stands."""
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.whole_book(tx)


async def read_contacts(settings: Settings) -> dict[str, KeptContact] | None:
    """What is kept of people, by wallet; who was erased is there with nothing else.

    None: the login may not read it.
    """
    async with reading(settings, role=OPERATOR) as database:
        if await may_not_act(database):
            return None
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


Part = Sequence[Difference]


def parts_of(changed: Sequence[Difference]) -> list[Part]:
    """The change as parts, each a version of the book, of at most CARDS_MAX cards."""
    return [changed[i : i + CARDS_MAX] for i in range(0, len(changed), CARDS_MAX)]


def question(part: Part, base_version: int, *, who: str, why: str) -> Question:
    """What billing is asked: to make this part the version that follows `base_version`."""
    cards = [
        {
            "kind": card.kind,
            "key": card.key,
            "effective_from": card.effective_from.isoformat(),
            "new": None if card.new is None else dict(card.new),
        }
        for card in part
    ]
    told = {"base_version": base_version, "changes": cards}
    return Question(service="billing", action="change_book", object=BOOK, who=who, why=why, parameters=told)


async def publish_contacts(settings: Settings, events: Sequence[ContactChanged]) -> list[UUID]:
    """Publish what is stated of people; the events' ids, once Kafka has acknowledged them all."""
    cause: Cause = first_cause()
    messages = [Message(topic=CONTACTS.name, key=one.wallet, event=one, cause=cause) for one in events]
    for service in CONTACTS.consumers:
        await vouch_for(settings, service, messages)
    await publish_once(settings, messages, service="operator")
    return [message.event_id for message in messages]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What became of what was published: why it was refused, and the services that have not read it yet."""

    refused: str | None
    waiting_for: Sequence[str]


async def wait_for_contacts(settings: Settings, events: Sequence[UUID], *, seconds: float) -> Arrival:
    """Wait until every consuming service has admitted what was stated of people, or one of them refused."""
    return await _wait(settings, [(service, events) for service in CONTACTS.consumers], seconds)


async def wait_for_followers(settings: Settings, events: Sequence[UUID], *, seconds: float) -> Arrival:
    """Wait until who follows the book has the versions that billing made as these events."""
    accepted = [accepted_event_id(event) for event in events]
    return await _wait(settings, [(service, accepted) for service in ACCEPTED.consumers], seconds)


_Readers = Sequence[tuple[str, Sequence[UUID]]]


async def _wait(settings: Settings, readers: _Readers, seconds: float) -> Arrival:
    deadline = time.monotonic() + seconds
    while True:
        arrival = await _look(settings, readers)
        if arrival.refused or not arrival.waiting_for or time.monotonic() >= deadline:
            return arrival
        await asyncio.sleep(POLL_S)


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
