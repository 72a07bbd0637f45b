"""How fast Stripe is called: at an even rate, slower after a 429, faster again with the answers after it.

Calls are spaced evenly instead of in bursts, and no span of a second plus JITTER_S has more starts than one
second allows: so no second has at Stripe, however late the event loop wakes up.
A call has its place in several limits at once: its endpoint's, and all calls'; what only reads has a share of
all calls too, so that reads never take the place of money.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from fleet.stripe_limits import StripeLimits, limited_as
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify

CATCH_UP = 3  # calls that may be made up for at once after the event loop woke up late
JITTER_S = 0.08  # by so much may the way to Stripe bring calls closer together than they were made
SLOWER = 0.6
LEAST_PER_S = 1.0
RECOVERY_S = 20.0  # from LEAST_PER_S to the full rate
IGNORED_S = 1.0  # after slowing down, answers to calls made before change nothing
READS_SHARE: Final = 0.2  # of all calls: what is left to money while its relay is busy

Clock = Callable[[], float]


class Pacer:
    """One limit. `await turn()` before each call, `slow_down()` after a 429, `went_well()` after others."""

    def __init__(self, per_s: float, clock: Clock = time.monotonic) -> None:
        places = max(int(per_s), 1)
        self._span_s = places / per_s + JITTER_S
        self._starts: deque[float] = deque(maxlen=places)
        self._most = places / self._span_s
        self._rate = self._most
        self._clock = clock
        self._next = clock()
        self._slowed_at = float("-inf")
        self._changed_at = clock()
        self.line = asyncio.Lock()
        self.waiting = 0

    @property
    def per_s(self) -> float:
        return self._rate

    async def turn(self) -> None:
        """Wait until a call that counts against this limit alone may be made."""
        await Lane(self).turn()

    def wait_s(self) -> float:
        """Seconds until the next call may be made, 0 when it may be made now."""
        now = self._clock()
        full = len(self._starts) == self._starts.maxlen
        return max(self._next - now, self._starts[0] + self._span_s - now if full else 0.0, 0.0)

    def take(self) -> None:
        """Reserve the time of a call that is made now."""
        now, space = self._clock(), 1.0 / self._rate
        self._next = max(self._next, now - CATCH_UP * space) + space
        self._starts.append(now)

    def free_within(self, seconds: float) -> int:
        """How many more calls could start within so many seconds."""
        return max(int((seconds - self.wait_s()) * self._rate) - self.waiting, 0)

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


class Lane:
    """The limits that one kind of call counts against, the narrowest first."""

    def __init__(self, *limits: Pacer) -> None:
        self.limits: Sequence[Pacer] = limits

    async def turn(self) -> None:
        """Wait until this call may be made by all its limits, in the order of asking.

        A call's time is reserved when it starts, not when it is asked for: otherwise a process that was
        suspended would send all calls that became due meanwhile at once. Whoever has a line's turn keeps it
        while it waits for the next limit, so of each endpoint one call at a time waits for the common one.
        """
        for limit in self.limits:
            limit.waiting += 1
        try:
            async with AsyncExitStack() as lines:
                for limit in self.limits:
                    await lines.enter_async_context(limit.line)
                    if (wait := limit.wait_s()) > 0:
                        await asyncio.sleep(wait)
                for limit in self.limits:
                    limit.take()
        finally:
            for limit in self.limits:
                limit.waiting -= 1

    def free_within(self, seconds: float) -> int:
        """How many more calls could start within so many seconds."""
        return min(limit.free_within(seconds) for limit in self.limits)

    def slow_down(self) -> None:
        for limit in self.limits:
            limit.slow_down()

    def went_well(self) -> None:
        for limit in self.limits:
            limit.went_well()


# Values of Stripe-Rate-Limited-Reason that are about all calls; docs.stripe.com/rate-limits.
_ABOUT_ALL: Final = ("global-rate", "global-concurrency")
_ABOUT_AN_ENDPOINT: Final = ("endpoint-rate", "endpoint-concurrency")
_A_LOCK: Final = "lock_timeout"  # one object was busy: nobody calls too often


class Pace:
    """The limits of one process: of all its calls, of each endpoint, and of its reads."""

    def __init__(self, limits: StripeLimits, *, reads_per_s: float, clock: Clock = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._endpoints: dict[str, Pacer] = {}
        self.calls = Pacer(limits.in_all, clock)
        self._reads = Pacer(min(reads_per_s, READS_SHARE * limits.in_all), clock)
        self.reads = Lane(self._reads, self.calls)

    def of(self, endpoint: str) -> Lane:
        """The lane of what moves money, and of its lookups."""
        return Lane(self._endpoint(endpoint), self.calls)

    def reading(self, endpoint: str) -> Lane:
        """The lane of what is read to see whether it changed."""
        return Lane(self._reads, self._endpoint(endpoint), self.calls)

    def heard(self, endpoint: str, answer: StripeAnswer) -> None:
        """Slow down what Stripe says is too fast: all calls, or one endpoint's."""
        of_endpoint = self._endpoint(endpoint)
        if classify(answer) is not StripeVerdict.SLOW_DOWN:
            of_endpoint.went_well()
            self.calls.went_well()
            return
        if answer.limited_by in _ABOUT_ALL:
            self.calls.slow_down()
        elif answer.limited_by in _ABOUT_AN_ENDPOINT:
            of_endpoint.slow_down()
        elif answer.code != _A_LOCK:  # it does not say which
            of_endpoint.slow_down()
            self.calls.slow_down()

    async def read(self, endpoint: str, call: Callable[[], Awaitable[StripeAnswer]]) -> StripeAnswer:
        """Read something of Stripe's at the pace of reads."""
        await self.reading(endpoint).turn()
        answer = await call()
        self.heard(endpoint, answer)
        return answer

    def _endpoint(self, endpoint: str) -> Pacer:
        name = limited_as(endpoint)
        if name not in self._endpoints:
            self._endpoints[name] = Pacer(self._limits.of_endpoint(name), self._clock)
        return self._endpoints[name]
