"""How often somebody may try to sign in: a number of tries in a window, by address and by all together."""

from collections import deque
from time import monotonic
from typing import Final

WINDOW_S: Final = 60.0
TRIES_OF_ONE: Final = 60  # a proxy in front of the console is one address
TRIES_OF_ALL: Final = 600
KNOWN_MAX: Final = 10_000


class Tries:
    """Tries of the last minute. It forgets with the process, which is enough against guessing."""

    def __init__(self) -> None:
        self._of: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()

    def may(self, address: str) -> bool:
        """Whether this address may try once more; the try counts."""
        now = monotonic()
        if len(self._of) > KNOWN_MAX:
            self._of = {one: tries for one, tries in self._of.items() if tries and tries[-1] > now - WINDOW_S}
        mine = self._of.setdefault(address, deque())
        for tries in (mine, self._all):
            while tries and tries[0] <= now - WINDOW_S:
                tries.popleft()
        if len(mine) >= TRIES_OF_ONE or len(self._all) >= TRIES_OF_ALL:
            return False
        mine.append(now)
        self._all.append(now)
        return True
