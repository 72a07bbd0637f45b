"""A shadow deployment as the other side of a comparison: where it is, and whether both sides are as far."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Final, NamedTuple

from pydantic import SecretStr

from fleet import kafka_client, positions
from fleet.database import Database
from fleet.reader import Reader
from fleet.settings import Settings
from fleet.shadows import Mark, mark_of
from hobbs.shell.connections import Unreachable, reading
from schemas.shadow import live_topics
from schemas.topics import TOPICS
from services.billing.desk.reads.in_order import clock

LOOK_EVERY_S: Final = 0.5
AT_ONCE_S: Final = 5.0  # in traffic: who needed no longer is as far
TIMES: Final = 3
REVISIONS_WAIT_S: Final = 1.5  # a correction that came before its flight is applied within a second
BILLS: Final = "billing"  # who reads the topics that a shadow looks at


class BesideSettings(Settings):
    """`shadow_database_url` logs in to the shadow's database as its operator."""

    shadow_database_url: SecretStr

    def of_shadow(self, mark: Mark) -> Settings:
        """The shadow's own settings, for commands that read it."""
        return self.model_copy(
            update={"database_url": self.shadow_database_url, "topic_prefix": mark.topic_prefix}
        )


class Begun(NamedTuple):
    """When both sides were asked how far they are, each by its own database's clock."""

    live: datetime
    shadow: datetime


async def mark_at(settings: BesideSettings) -> Mark:
    """The mark of the shadow's database. Raises Unreachable when it is a shadow of other topics, or none."""
    database = Database(settings.shadow_database_url.get_secret_value(), schema="public", pool_size=1)
    try:
        mark = await mark_of(database)
    finally:
        await database.close()
    if mark is None:
        raise Unreachable("HOBBS_SHADOW_DATABASE_URL is no shadow's database: look at the URL")
    if mark.live != settings.topic_prefix:
        raise Unreachable(f"it is the shadow of topics that begin with {mark.live!r}: look at the prefix")
    return mark


async def both_caught_up(settings: BesideSettings, mark: Mark, *, within_s: float) -> Begun:
    """Wait until both sides handled every flight there is. Raises Unreachable: one is behind for longer.

    How far a side is says its database: groups of a shadow that was thrown away may be further.
    """
    deadline = time.monotonic() + within_s
    sides = {"the live deployment": settings, "the shadow": settings.of_shadow(mark)}
    async with Reader(**kafka_client.connection(settings)) as reader:
        for asked_before in count():
            asked, waited = time.monotonic(), False
            begun = Begun(*[await _now(side) for side in sides.values()])
            ends = {name: await _ends(reader, mark.live + name) for name in _looked_at(mark)}
            while behind := await _behind(sides, ends):
                if time.monotonic() >= deadline:
                    raise Unreachable(f"{behind}: compare when both are as far")
                waited = True
                await asyncio.sleep(LOOK_EVERY_S)
            # What was handled since `begun` is left out: so nobody believes the first time, when a side may
            # have come as far meanwhile. In traffic that never rests, quick is as good as at once.
            quick = asked_before >= TIMES and time.monotonic() - asked < AT_ONCE_S
            if asked_before and (quick or not waited):
                await asyncio.sleep(REVISIONS_WAIT_S)
                return begun
    raise AssertionError("it counts for ever")


async def _now(settings: Settings) -> datetime:
    async with reading(settings) as database, database.transaction() as tx:
        return await clock(tx)


def _looked_at(mark: Mark) -> list[str]:
    return [
        name
        for name in live_topics(own_book=mark.own_book)
        if BILLS in TOPICS[name].consumers and BILLS not in TOPICS[name].only_answered_by
    ]


async def _ends(reader: Reader, topic: str) -> Mapping[int, int]:
    """Where the partitions end that have a record: one whose records are gone was read by nobody."""
    places = await reader.places_of(topic)
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    return {place.partition: end for place, end in ends.items() if end > begins[place]}


async def _behind(sides: Mapping[str, Settings], ends: Mapping[str, Mapping[int, int]]) -> str | None:
    """Who has not handled a topic as far as it went; None when both have."""
    for who, settings in sides.items():
        async with reading(settings) as database, database.transaction() as tx:
            for name, end in ends.items():
                handled = await positions.read(tx, name, f"{BILLS}_public.positions")
                missing = sum(max(place - handled.get(number, 0), 0) for number, place in end.items())
                if missing:
                    return f"{who} is {missing} records of {name} behind"
    return None
