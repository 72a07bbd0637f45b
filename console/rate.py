"""How often somebody may fail to sign in: a number of tries in a window, by address and by all together.

A try counts until it succeeds: an office of twenty people behind one address signs in all the same.
"""

from collections import deque
from time import monotonic
from typing import Final

from console.guard import Refused

WINDOW_S: Final = 60.0
TRIES_OF_ONE: Final = 10
TRIES_OF_ALL: Final = 600
KNOWN_MAX: Final = 10_000


class Tries:
    """Tries of the last minute. It forgets with the process, which is enough against guessing."""

    def __init__(self) -> None:
        self._of: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()

    def require(self, address: str) -> None:
        """Count one try of this address. Raises Refused when there were too many."""
        now = monotonic()
        if len(self._of) > KNOWN_MAX:
            self._of = {one: tries for one, tries in self._of.items() if tries and tries[-1] > now - WINDOW_S}
        mine = self._of.setdefault(address, deque())
        for tries in (mine, self._all):
            while tries and tries[0] <= now - WINDOW_S:
                tries.popleft()
        if len(mine) >= TRIES_OF_ONE or len(self._all) >= TRIES_OF_ALL:
            raise Refused("too many tries: wait a minute", person=None)
        mine.append(now)
        self._all.append(now)

    def succeeded(self, address: str, *, tries: int = 1) -> None:
        """The last tries of this address led to somebody who may come in: they do not count."""
        for counted in (self._of.get(address, deque[float]()), self._all):
            for _ in range(min(tries, len(counted))):
                counted.pop()
