"""What was read seconds ago and is shown again, with its age: figures that add up all rows of a table.

In memory and of this process: it is forgotten with it, after seconds, and whenever a person here decides.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

FOR_S: Final = 5.0
KEYS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read, and when."""

    found: Any
    at: datetime
    until: float


@dataclass(slots=True, kw_only=True)
class Recent:
    """Answers of the database by their question; of several who ask at once one reads."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _known: dict[Hashable, Read] = field(default_factory=dict)
    _reading: dict[Hashable, asyncio.Lock] = field(default_factory=dict)
    _generation: int = 0

    async def get(
        self, key: Hashable, read: Callable[[], Awaitable[Any]], *, for_s: float = FOR_S
    ) -> tuple[Any, datetime]:
        """What `read` answered `for_s` seconds ago at most, and when that was."""
        if found := self._fresh(key):
            return found.found, found.at
        async with self._reading.setdefault(key, asyncio.Lock()):
            if found := self._fresh(key):
                return found.found, found.at
            at, generation = self.clock(), self._generation
            answer = await read()
            if generation == self._generation:  # nobody decided meanwhile
                self._keep(key, Read(found=answer, at=at, until=time.monotonic() + for_s))
        return answer, at

    def forget(self) -> None:
        """Somebody decided something: whoever looks now sees what follows from it."""
        self._generation += 1
        self._known.clear()

    def _fresh(self, key: Hashable) -> Read | None:
        found = self._known.get(key)
        return found if found is not None and time.monotonic() < found.until else None

    def _keep(self, key: Hashable, read: Read) -> None:
        if len(self._known) >= KEYS_MAX:
            self._known.clear()
            self._reading.clear()
        self._known[key] = read
