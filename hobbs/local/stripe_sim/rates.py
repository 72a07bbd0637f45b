"""Stripe's rate limits: so many calls in any span of one second, of each endpoint and in all; then 429.

The table and its source are fleet/stripe_limits.py. Stripe does not document over what span it counts: any
span is the strictest reading. A refused call counts for nothing, has no effect and saves no key. Calls of
connected accounts count for the platform. Seconds are the wall clock's, whatever the simulator's clock says.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from fleet.stripe_limits import LIMITS, StripeLimits, limited_as
from hobbs.local.stripe_sim import errors

SPAN_S: Final = 1.0
ALL: Final = "all endpoints"
MODES: Final = ("sandbox", "live", "off")


class Rates:
    """What was called in the last second, and how often a call was refused, by endpoint."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._admitted: dict[str, deque[float]] = {}
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def admit(self, endpoint: str, mode: str) -> None:
        """Count a call; raise a 429 when its endpoint, or all together, were called too often."""
        self.calls[endpoint] += 1
        limits = limits_of(mode)
        if limits is None:
            return
        now, name = self._clock(), limited_as(endpoint)
        if not self._has_room(name, limits.of_endpoint(name), now):
            self._refuse(endpoint, "endpoint-rate")
        if not self._has_room(ALL, limits.in_all, now):
            self._refuse(endpoint, "global-rate")
        for counted in (name, ALL):
            self._admitted[counted].append(now)

    def forget(self) -> None:
        self._admitted.clear()
        self.calls.clear()
        self.refused.clear()

    def _has_room(self, name: str, per_s: float, now: float) -> bool:
        recent = self._admitted.setdefault(name, deque())
        while recent and recent[0] <= now - SPAN_S:
            recent.popleft()
        return len(recent) < per_s

    def _refuse(self, endpoint: str, reason: str) -> None:
        self.refused[endpoint] += 1
        raise errors.rate_limited(reason)


def limits_of(mode: str) -> StripeLimits | None:
    """The limits of a mode; None when they are off. Raises ValueError for any other word."""
    if mode not in MODES:
        raise ValueError(f"rate_limits is {mode!r}; known are {', '.join(MODES)}")
    return None if mode == "off" else LIMITS["live" if mode == "live" else "sandbox"]
