"""What was read seconds ago and is shown again, with its age: figures that add up all rows of a table.

In memory and of this process: it is forgotten with it, and whenever a person here decides. What is a little
older is shown while it is read again behind the page, so that nobody waits for it; what is older than that is
waited for.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

FOR_S: Final = 5.0  # nobody reads it again so long
SHOWN_S: Final = 25.0  # after that: it is shown, and read again behind the page
KEYS_MAX: Final = 200

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read, and when. It is read again after `until`."""

    found: Any
    at: datetime
    until: float


@dataclass(slots=True, kw_only=True)
class Recent:
    """Answers of the database by their question; of several who ask at once one reads."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _known: dict[Hashable, Read] = field(default_factory=dict)
    _reading: dict[Hashable, asyncio.Lock] = field(default_factory=dict)
    _behind: dict[Hashable, asyncio.Task[None]] = field(default_factory=dict)
    _generation: int = 0

    async def get(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[Any]],
        *,
        for_s: float = FOR_S,
        shown_s: float = SHOWN_S,
        now: bool = False,
    ) -> tuple[Any, datetime]:
        """What `read` answered, and when: `for_s` and `shown_s` seconds ago at most. now: read it now."""
        found = None if now else self._known.get(key)
        age_s = time.monotonic() - found.until if found else 0.0
        if found is None or age_s >= shown_s:
            return await self._read(key, read, for_s, since=self.clock() if now else None)
        if age_s >= 0 and key not in self._behind:
            self._behind[key] = asyncio.create_task(self._read_behind(key, read, for_s))
        return found.found, found.at

    def forget(self) -> None:
        """Somebody decided something: whoever looks now sees what follows from it."""
        self._generation += 1
        self._known.clear()

    async def _read(
        self, key: Hashable, read: Callable[[], Awaitable[Any]], for_s: float, *, since: datetime | None
    ) -> tuple[Any, datetime]:
        """Read, unless somebody else just did, and began to after `since`."""
        async with self._reading.setdefault(key, asyncio.Lock()):
            found = self._known.get(key)
            if found is not None and (found.at >= since if since else time.monotonic() < found.until):
                return found.found, found.at
            at, generation = self.clock(), self._generation
            answer = await read()
            if generation == self._generation:  # nobody decided meanwhile
                self._keep(key, Read(found=answer, at=at, until=time.monotonic() + for_s))
        return answer, at

    async def _read_behind(self, key: Hashable, read: Callable[[], Awaitable[Any]], for_s: float) -> None:
        """Read for those who look next. It may fail: when it is too old somebody waits, and is told."""
        try:
            await self._read(key, read, for_s, since=None)
        except Exception as error:
            _log.warning("figures cannot be read again", extra={"error": type(error).__name__})
        finally:
            del self._behind[key]

    def _keep(self, key: Hashable, read: Read) -> None:
        if len(self._known) >= KEYS_MAX:
            self._known.clear()
            self._reading.clear()
        self._known[key] = read
