"""The members of a topic in one process: what each of them polled is handled together, one commit for all.

Two members let one batch wait for Postgres while the other is worked on, which pays when there is a backlog
and no other process that does the same. Otherwise each batch costs about the same whatever is in it, so that
one for both costs half.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import NamedTuple

from fleet.envelope import Record

Handler = Callable[[Sequence[Record]], Awaitable[None]]

BATCH_EVERY_S = 0.05  # what comes one by one shares a commit
MANY, MANY_EVERY_S = 32, 0.15  # what comes by the hundreds a second shares more (docs/decisions/0136)
COMES_WITHIN_S = 0.02  # longer than a member gathers


class _Brought(NamedTuple):
    records: Sequence[Record]
    handled: "asyncio.Future[None]"


class Together:
    """Handles what the members bring, and says how long they rest after it: all of them equally long."""

    def __init__(self, handler: Handler, *, every_s: float = BATCH_EVERY_S) -> None:
        self.handler = handler
        self._every_s = every_s
        self._brought: list[_Brought] = []
        self._coming: set[Hashable] = set()
        self._all_came = asyncio.Event()
        self._at_work = asyncio.Lock()
        self.rests_until = 0.0  # of time.monotonic()

    def comes(self, member: Hashable) -> None:
        """This member has polled something and gathers more; wait for it."""
        self._coming.add(member)

    def comes_not(self, member: Hashable) -> None:
        """This member came, or polls again with nothing in its hands."""
        self._coming.discard(member)
        if not self._coming:
            self._all_came.set()

    async def handle(self, member: Hashable, records: Sequence[Record]) -> None:
        """Return when these records are handled, with what others bring; raises what the handler raises."""
        self.comes_not(member)
        mine = _Brought(records, asyncio.get_running_loop().create_future())
        self._brought.append(mine)
        async with self._at_work:
            if not mine.handled.done():
                await self._wait_for_others()
                everybodys, self._brought = self._brought, []
                await self._work(everybodys)
        await mine.handled

    async def handle_in_turn(self, member: Hashable, records: Sequence[Record]) -> None:
        """Handle these records by themselves, after what other members of this process are at."""
        self.comes_not(member)
        async with self._at_work:
            await self.handler(records)

    async def rest(self) -> bool:
        """Sleep until the next batch may begin; False: it may at once."""
        rested = False
        while (left_s := self.rests_until - time.monotonic()) > 0:  # another member's batch may move the end
            rested = True
            await asyncio.sleep(left_s)
        return rested

    async def _wait_for_others(self) -> None:
        if self._coming:
            self._all_came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_came.wait(), COMES_WITHIN_S)

    async def _work(self, everybodys: Sequence[_Brought]) -> None:
        records = [record for brought in everybodys for record in brought.records]
        many = len(records) >= MANY
        self.rests_until = time.monotonic() + (max(self._every_s, MANY_EVERY_S) if many else self._every_s)
        try:
            await self.handler(records)
        except Exception as error:
            for brought in everybodys:
                if not brought.handled.done():
                    brought.handled.set_exception(error)
        except BaseException:  # we are stopped in the middle: nobody's offsets may be committed
            for brought in everybodys:
                brought.handled.cancel()
            raise
        else:
            for brought in everybodys:
                if not brought.handled.done():
                    brought.handled.set_result(None)
