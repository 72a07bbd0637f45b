"""How fast Stripe is called: at an even rate, slower after a 429, faster again with the answers after it.

Calls are spaced evenly instead of in bursts, so that no span of one second has more of them than the limit.
"""

import asyncio
import time
from collections.abc import Callable

CATCH_UP = 3  # calls that may be made at once after the event loop woke up late
HEADROOM = 0.92  # of the limit: the network moves requests a little closer together
SLOWER = 0.6
LEAST_PER_S = 1.0
RECOVERY_S = 20.0  # from LEAST_PER_S to the full rate
IGNORED_S = 1.0  # after slowing down, answers to calls made before change nothing


class Pacer:
    """`await turn()` before each call, `slow_down()` after a 429, `went_well()` after any other answer.

    within: another pacer whose rate these calls count against too.
    """

    def __init__(
        self, per_s: float, clock: Callable[[], float] = time.monotonic, *, within: "Pacer | None" = None
    ) -> None:
        self._within = within
        self._most = per_s * HEADROOM
        self._rate = self._most
        self._clock = clock
        self._next = clock()
        self._slowed_at = float("-inf")
        self._changed_at = clock()
        self._line = asyncio.Lock()
        self._waiting = 0

    @property
    def per_s(self) -> float:
        return self._rate

    async def turn(self) -> None:
        """Wait until this call may be made, in the order of asking.

        A call's time is reserved when it starts, not when it is asked for: otherwise a process that was
        suspended would send all calls that became due meanwhile at once.
        """
        self._waiting += 1
        try:
            async with self._line:
                if (wait := self.wait_s()) > 0:
                    await asyncio.sleep(wait)
                self.take()
        finally:
            self._waiting -= 1
        if self._within is not None:
            await self._within.turn()

    def wait_s(self) -> float:
        """Seconds until the next call may be made, 0 when it may be made now."""
        return max(self._next - self._clock(), 0.0)

    def take(self) -> None:
        """Reserve the time of a call that is made now."""
        space = 1.0 / self._rate
        self._next = max(self._next, self._clock() - CATCH_UP * space) + space

    def free_within(self, seconds: float) -> int:
        """How many more calls could start within so many seconds."""
        return max(int((seconds - self.wait_s()) * self._rate) - self._waiting, 0)

    def slow_down(self) -> None:
        """Cut the rate after a 429, once for all calls that were already under way."""
        now = self._clock()
        if now - self._slowed_at < IGNORED_S:
            return
        self._rate = max(self._rate * SLOWER, min(LEAST_PER_S, self._most))
        self._slowed_at = self._changed_at = now

    def went_well(self) -> None:
        """Raise the rate in proportion to the time that passed, up to the limit."""
        now = self._clock()
        if self._rate < self._most and now - self._slowed_at >= IGNORED_S:
            self._rate = min(self._rate + self._most * (now - self._changed_at) / RECOVERY_S, self._most)
        self._changed_at = now
