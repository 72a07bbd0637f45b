"""How fast Stripe may be called: evenly paced, slower after a 429, faster again while all is well.

Calls are spaced rather than let through in bursts, so that no second anywhere in between holds more than the
limit. It knows time only through the clock it is given, and nothing of what is sent.
"""

import asyncio
import time
from collections.abc import Callable

CATCH_UP = 2  # sends that may follow at once when the event loop woke up late
HEADROOM = 0.95  # of the limit: requests bunch up a little on their way
SLOWER = 0.6
LEAST_PER_S = 1.0
RECOVERY_S = 20.0  # from LEAST_PER_S to the full rate
DEAF_S = 1.0  # answers to what was sent before we slowed down say nothing new


class Limiter:
    """A pacer: `await turn()` before a call, `slow_down()` after a 429, `went_well()` after other answers."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = per_s * HEADROOM
        self._rate = self._most
        self._clock = clock
        self._next = clock()
        self._slowed_at = float("-inf")
        self._changed_at = clock()

    @property
    def per_s(self) -> float:
        return self._rate

    async def turn(self) -> None:
        """Wait until this call may be made."""
        wait = self.reserve()
        if wait > 0:
            await asyncio.sleep(wait)

    def reserve(self) -> float:
        """Take the next place in line; seconds until it comes."""
        now, space = self._clock(), 1.0 / self._rate
        at = max(self._next, now - CATCH_UP * space)
        self._next = at + space
        return max(at - now, 0.0)

    def free_within(self, seconds: float) -> int:
        """How many calls could start within so many seconds."""
        return max(int((self._clock() + seconds - max(self._next, self._clock())) * self._rate), 0)

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
