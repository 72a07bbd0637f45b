"""A member of a topic's group, and what it does when partitions come and go."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRebalanceListener

from fleet.faults import fault_point
from fleet.positions import Positions
from fleet.reader import Reader
from fleet.shared_batches import SharedBatches

BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.2, 10.0
PLACE_WITHIN_S = 10.0
PLACE_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class First:
    """A topic of which everything is handled before the first record of another one, when a process starts.

    service: who handles it, when that is another one: waited for only by who reads again what was read.
    """

    topic: str
    service: str | None = None
    ends: Mapping[int, int] | None = None  # as they were when it was asked first
    missing: int | None = None
    advanced_at: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class Consumer:
    """A member of a topic's group: who handles what it polls, and what the health check needs to know."""

    topic: str
    shared: SharedBatches  # of all members of the topic in this process
    batch_max: int
    positions: Positions | None = None  # None: what reads again from the committed offset alone
    after: tuple[First, ...] = ()  # topics of which everything is handled first, when the process starts
    failures: int = 0
    batch_since: float | None = None  # since when the batch in hand is not handled
    waiting_since: float | None = None  # since when records up to `waiting_to` are seen and not polled
    waiting_to: Mapping[Any, int] = field(default_factory=dict)
    rested: bool = False
    polled_at: float = field(default_factory=time.monotonic)
    assignments: int = 0  # how often partitions came or went
    placed: int = 0  # the assignment whose partitions begin where the database ends
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    subscriber: Any = None

    def poll_age_s(self) -> float:
        return time.monotonic() - self.polled_at

    def batch_age_s(self) -> float:
        """For how long the batch in hand has not been handled; 0 when there is none."""
        return 0.0 if self.batch_since is None else time.monotonic() - self.batch_since

    def oldest_age_s(self) -> float:
        """For how long the oldest record has not been handled: polled or not. No publisher's clock is asked.

        It is called every few seconds: what waits is dated when it is seen first.
        """
        reader, now = self.reader(), time.monotonic()
        ends = reader.ends() if reader else {}
        at = reader.positions() if reader else {}
        passed = all(at.get(place, end) >= end for place, end in self.waiting_to.items())
        if all(at[place] >= end for place, end in ends.items()):
            self.waiting_since, self.waiting_to = None, {}
        elif self.waiting_since is None or passed:
            self.waiting_since, self.waiting_to = now, ends
        waits = 0.0 if self.waiting_since is None else now - self.waiting_since
        return max(waits, self.batch_age_s())

    def lag(self) -> int:
        """How many records wait that may be read."""
        reader = self.reader()
        return sum(map(reader.left, reader.assignment())) if reader else 0

    def troubles(self) -> list[str]:
        """What keeps this member from reading, a sentence each."""
        reader = self.reader()
        return reader.troubles() if reader else []

    def has_ended(self) -> bool:
        """Whether it reads nothing any more until it is started anew."""
        reader = self.reader()
        return reader is not None and reader.has_ended()

    def reader(self) -> Reader | None:
        return self.subscriber.consumer if self.subscriber else None

    async def place(self) -> bool:
        """Begin where the database ends, also when it was restored; False: that cannot be asked now.

        To be called by who polls, before each poll: a batch that was polled before, from where the group's
        offsets are, would go back there when it is read again.
        """
        assigned, reader = self.assignments, self.reader()
        if self.placed == assigned or self.positions is None or reader is None:
            return True
        try:
            async with asyncio.timeout(PLACE_WITHIN_S):
                await fault_point("consumer.placing")
                await self.positions.rewind(reader, reader.assignment())
        except Exception:
            _log.exception("positions not read", extra={"topic": self.topic})
            await asyncio.sleep(PLACE_AGAIN_S)
            return False
        self.placed = assigned
        return self.placed == self.assignments

    def moved_since(self, assignments: int) -> bool:
        """Whether partitions came or went since there were so many assignments."""
        return self.positions is not None and self.assignments != assignments

    async def write_positions(self, *, only_if_due: bool = False) -> None:
        """Write how far it is; what an outage keeps from being written is read again."""
        if self.positions is None:
            return
        try:
            await (self.positions.write_if_due() if only_if_due else self.positions.write())
        except Exception as error:
            details = {"topic": self.topic, "error": type(error).__name__}
            _log.warning("positions not written", extra=details)


class DrainOnRebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self._consumer.assignments += 1
        await fault_point("consumer.rebalancing")
        async with self._consumer.busy:
            await self._consumer.write_positions()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing of these is handed out before `place` (aiokafka may have records of them already)."""
        self._consumer.assignments += 1
