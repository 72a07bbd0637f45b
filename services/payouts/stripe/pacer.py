"""How fast Stripe may be called: evenly paced, slower after a 429, faster again while all is well.

Calls are spaced rather than let through in bursts, so that no second anywhere in between holds more than the
limit. It knows time only through the clock it is given, and nothing of what is sent.
"""

import asyncio
import time
from collections.abc import Callable

CATCH_UP = 3  # sends that may follow at once when the event loop woke up late
HEADROOM = 0.92  # of the limit: requests bunch up a little on their way
SLOWER = 0.6
LEAST_PER_S = 1.0
RECOVERY_S = 20.0  # from LEAST_PER_S to the full rate
DEAF_S = 1.0  # answers to what was sent before we slowed down say nothing new


class Limiter:
    """A pacer: `await turn()` before a call, `slow_down()` after a 429, `went_well()` after other answers.

    Calls of a limiter `within` another are of the other's as well: both must have room for them.
    """

    def __init__(
        self, per_s: float, clock: Callable[[], float] = time.monotonic, *, within: "Limiter | None" = None
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
        """Wait until this call may be made; whoever asked first goes first.

        The place is taken when the caller really goes, not when it asks: a process that was held up for
        a while would else send everything that became due meanwhile in one burst.
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
        """Seconds until the next call may be made."""
        return max(self._next - self._clock(), 0.0)

    def take(self) -> None:
        """Make a call now."""
        space = 1.0 / self._rate
        self._next = max(self._next, self._clock() - CATCH_UP * space) + space

    def free_within(self, seconds: float) -> int:
        """How many more calls could start within so many seconds."""
        return max(int((seconds - self.wait_s()) * self._rate) - self._waiting, 0)

    def slow_down(self) -> None:
        """Stripe said 429: cut the rate, once for everything that was already on its way."""
        now = self._clock()
        if now - self._slowed_at < DEAF_S:
            return
        self._rate = max(self._rate * SLOWER, min(LEAST_PER_S, self._most))
        self._slowed_at = self._changed_at = now

    def went_well(self) -> None:
        """Recover linearly with time, never above the limit."""
        now = self._clock()
        if self._rate < self._most and now - self._slowed_at >= DEAF_S:
            self._rate = min(self._rate + self._most * (now - self._changed_at) / RECOVERY_S, self._most)
        self._changed_at = now
