"""How much of the gateway a stranger may hold: bodies being read, requests being worked on, a key's quota.

Webhooks and flights have budgets of their own, so that neither can stop the other. A request takes part of
its budget only once its body is there: slow senders hold a place among the readers, and the slowest loses it.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from services.gateway.domain.problems import ProblemRaised

WORKING_MAX: Final = 128
READING_MAX: Final = 512
BODY_SECONDS_MAX: Final = 10.0
KEYS_MAX: Final = 10_000


class Budget:
    """One kind of requests: how many bodies are read at once, and how many requests are worked on."""

    def __init__(
        self,
        *,
        working_max: int = WORKING_MAX,
        reading_max: int = READING_MAX,
        body_seconds_max: float = BODY_SECONDS_MAX,
    ) -> None:
        self._working_max = working_max
        self._reading_max = reading_max
        self._body_seconds_max = body_seconds_max
        self._readers: dict[asyncio.Timeout, None] = {}  # in the order they began
        self._working = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read a body in this block. Raises ProblemRaised when it takes too long, or the place is needed."""
        try:
            async with asyncio.timeout(self._body_seconds_max) as place:
                self._readers[place] = None
                if len(self._readers) > self._reading_max:
                    slowest = next(iter(self._readers))
                    del self._readers[slowest]
                    slowest.reschedule(asyncio.get_running_loop().time())
                try:
                    yield
                finally:
                    self._readers.pop(place, None)
        except TimeoutError:
            raise ProblemRaised(
                "too_slow", "the body took too long, or others waited for its place"
            ) from None

    def begin(self) -> None:
        """Take a place for the work; `end` gives it back. Raises ProblemRaised when all are taken."""
        if self._working >= self._working_max:
            raise ProblemRaised("try_again", "too many requests are under way")
        self._working += 1

    def end(self) -> None:
        self._working -= 1


class Quotas:
    """Requests of each API key a minute, in this process: saved up to a minute's, then as they come."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._saved: dict[int, tuple[float, float]] = {}  # key -> requests it may make, at what time

    def take(self, key_id: int) -> None:
        """Count one request. Raises ProblemRaised with the seconds after which the next is taken."""
        now = self._clock()
        saved, at = self._saved.pop(key_id, (float(self._per_minute), now))
        saved = min(float(self._per_minute), saved + (now - at) * self._per_minute / 60)
        if len(self._saved) >= KEYS_MAX:  # the key that was used longest ago has saved most
            del self._saved[next(iter(self._saved))]
        self._saved[key_id] = (saved - 1 if saved >= 1 else saved, now)
        if saved < 1:
            wait_s = math.ceil((1 - saved) * 60 / self._per_minute)
            raise ProblemRaised(
                "too_many",
                f"this key may make {self._per_minute} requests a minute; up to 500 flights fit into one",
                retry_after_s=wait_s,
            )
