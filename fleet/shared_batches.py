"""One batch for the members of a topic in one process: what each of them polled is handled in one commit.

A batch costs about the same whatever is in it, so one for all members costs half of two. In a backlog each
member handles its own batch: one member's batch then waits for Postgres while another's is decided, which
pays as long as no other process reads the topic.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import NamedTuple

from fleet.envelope import Record
from fleet.signals import within

Handler = Callable[[Sequence[Record]], Awaitable[None]]

BATCH_EVERY_S = 0.05  # records that arrive one by one share a commit
UNHURRIED_S = 0.5  # of what no payment and no person waits for (docs/decisions/0258)
MANY, MANY_EVERY_S = 32, 0.15  # hundreds of records a second share fewer commits (docs/decisions/0136)
# A batch begins three times as long after the one before as that took: where cores are short, records wait
# and share one (docs/decisions/0261).
BUSY_FOR, BUSY_EVERY_S = 3, 0.3
WAIT_S = 0.02  # how long a batch waits for an announced member: longer than a member gathers


class _Share(NamedTuple):
    """What one member brought, and the future that ends when it is handled."""

    records: Sequence[Record]
    handled: "asyncio.Future[None]"


class SharedBatches:
    """Handles what the members bring, and says how long they pause after it: all of them equally long."""

    def __init__(self, handler: Handler, *, every_s: float = BATCH_EVERY_S) -> None:
        self.handler = handler
        self._every_s = every_s
        self._shares: list[_Share] = []
        self._announced: set[Hashable] = set()
        self._none_announced = asyncio.Event()
        self._handling = asyncio.Lock()
        self.rests_until = 0.0  # of time.monotonic()

    def announce(self, member: Hashable) -> None:
        """This member has polled records and gathers more: the next batch waits for it."""
        self._announced.add(member)

    def withdraw(self, member: Hashable) -> None:
        """This member has brought its records, or polls again without any: no batch waits for it."""
        self._announced.discard(member)
        if not self._announced:
            self._none_announced.set()

    async def handle(self, member: Hashable, records: Sequence[Record]) -> None:
        """Return when these records are handled, with what others bring; raises what the handler raises."""
        self.withdraw(member)
        own = _Share(records, asyncio.get_running_loop().create_future())
        self._shares.append(own)
        async with self._handling:
            if not own.handled.done():
                await self._wait_for_others()
                shares, self._shares = self._shares, []
                await self._handle_shares(shares)
        await own.handled

    async def handle_in_turn(self, member: Hashable, records: Sequence[Record]) -> None:
        """Handle these records by themselves, after the batch that another member of this process handles."""
        self.withdraw(member)
        async with self._handling:
            await self.handler(records)

    async def rest(self) -> bool:
        """Sleep until the next batch may begin; False: it may begin at once."""
        rested = False
        while (left_s := self.rests_until - time.monotonic()) > 0:  # another member's batch may move the end
            rested = True
            await asyncio.sleep(left_s)
        return rested

    async def _wait_for_others(self) -> None:
        if self._announced:
            self._none_announced.clear()
            await within(WAIT_S, self._none_announced)

    async def _handle_shares(self, shares: Sequence[_Share]) -> None:
        records = [record for share in shares for record in share.records]
        many = len(records) >= MANY
        began = time.monotonic()
        self.rests_until = began + (max(self._every_s, MANY_EVERY_S) if many else self._every_s)
        try:
            await self.handler(records)
            if self._every_s:
                busy_s = min(BUSY_FOR * (time.monotonic() - began), BUSY_EVERY_S)
                self.rests_until = max(self.rests_until, began + busy_s)
        except Exception as error:
            for share in shares:
                if not share.handled.done():
                    share.handled.set_exception(error)
        except BaseException:  # stopped in the middle: no member may commit its offsets
            for share in shares:
                share.handled.cancel()
            raise
        else:
            for share in shares:
                if not share.handled.done():
                    share.handled.set_result(None)
