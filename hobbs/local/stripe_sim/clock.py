"""The simulator's clock: real time plus an offset that only grows, kept in the database.

Everything that Stripe dates by its own clock uses it (created, available_on, the age of an idempotency key).
Webhook signatures and retries use the wall clock, because the receiver compares them with its own.
"""

import time
from collections.abc import Callable


class Clock:
    def __init__(self, offset: float = 0.0, wall: Callable[[], float] = time.time) -> None:
        self.offset = offset
        self.wall = wall

    def now(self) -> float:
        return self.wall() + self.offset

    def now_s(self) -> int:
        return int(self.now())

    def advance(self, seconds: float) -> None:
        """Move forward; going back would make saved idempotency keys younger than they are."""
        assert seconds >= 0
        self.offset += seconds
