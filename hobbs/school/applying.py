"""Applies what a file changes: people's contacts are published, billing is asked for versions of the book."""

from collections.abc import Awaitable, Sequence
from typing import Final
from uuid import UUID

import typer
from aiokafka.errors import KafkaError

from fleet.settings import Settings
from hobbs.school.book import (
    now,
    parts_of,
    publish_contacts,
    question,
    wait_for_contacts,
    wait_for_followers,
)
from hobbs.school.contacts import ContactDifference, contact_events
from hobbs.school.difference import Difference
from hobbs.shell.connections import Unreachable, run
from hobbs.shell.connections import why as reason_of
from hobbs.shell.decisions import ask, leave
from hobbs.shell.output import EXIT_FINDINGS, say
from services.billing.desk.reads import WholeBook

LEFT_FOR_S: Final = 86_400.0  # how long billing may take a change that nobody waits for


def publish_people(settings: Settings, people: Sequence[ContactDifference], *, seconds: float) -> None:
    """Publish names and addresses and, unless `seconds` is 0, wait for them: accounts are made with them."""
    if not people:
        return
    ids = run(_reached(publish_contacts(settings, contact_events(people, now()))))
    if not seconds:
        say(f"published names or addresses of {len(people)} people")
        return
    arrival = run(wait_for_contacts(settings, ids, seconds=seconds))
    if arrival.refused or arrival.waiting_for:
        late = f"published, but {', '.join(arrival.waiting_for)} has not read them in {seconds:g} s"
        what = f"refused by {arrival.refused}" if arrival.refused else f"{late}: is it running?"
        say(f"names and addresses are {what}; nothing of the book was changed: apply again")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"names and addresses of {len(people)} people are kept")


def change_and_wait(
    settings: Settings,
    standing: WholeBook,
    changed: Sequence[Difference],
    *,
    who: str,
    why: str,
    seconds: float,
) -> None:
    """Have billing change the book and, unless `seconds` is 0, wait for the others; exit 1 when refused."""
    parts, version = parts_of(changed), standing.version
    if not seconds:
        asked = [question(part, version + n, who=who, why=why) for n, part in enumerate(parts)]
        run(leave(settings, asked, within_s=LEFT_FOR_S))
        say(f"asked for version {version + len(parts)}: billing decides on it within a day")
        return
    events: list[UUID] = []
    for part in parts:
        one = question(part, version + len(events), who=who, why=why)
        answer = run(ask(settings, one, within_s=seconds))
        if answer.outcome == "refused":
            say(f"refused by billing: {answer.sentence}")
            raise typer.Exit(EXIT_FINDINGS)
        events += [UUID(effect["event"]) for effect in answer.effects if "event" in effect]
        if "event" not in answer.effects[0]:
            say(answer.sentence)
    if not events:
        return
    say_who_follows(settings, events, version + len(events), seconds=seconds)


def say_who_follows(settings: Settings, events: Sequence[UUID], version: int, *, seconds: float) -> None:
    """Wait for the other services; exit 1 when one of them does not read the book in time."""
    arrival = run(wait_for_followers(settings, events, seconds=seconds))
    if arrival.refused:
        say(f"refused by {arrival.refused}")
        raise typer.Exit(EXIT_FINDINGS)
    if arrival.waiting_for:
        services = ", ".join(arrival.waiting_for)
        say(
            f"the book is at version {version}, but {services} has not read it in {seconds:g} s: "
            "is it running?"
        )
        raise typer.Exit(EXIT_FINDINGS)
    say(f"the book is at version {version}")


async def _reached(publishing: Awaitable[list[UUID]]) -> list[UUID]:
    try:
        return await publishing
    except (KafkaError, OSError) as error:
        raise Unreachable(
            f"Kafka: {reason_of(error)}; apply again once it answers, what did arrive is not applied twice"
        ) from error
