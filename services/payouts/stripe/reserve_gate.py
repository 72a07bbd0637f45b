"""Lets transfers out while the school keeps a reserve, in each process: before a relay claims them.

Without a reserve it looks for one now and then, and the relay's claims find an empty table.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from fleet.database import Database
from services.payouts import metrics, store
from services.payouts.domain.reserve_gate import GateNews
from services.payouts.steps import reserve_gate

FOLLOWS: Final = timedelta(seconds=5)  # after what time a new policy of the book is in force
LOOKS: Final = timedelta(seconds=1)  # how soon a gate is seen that another process made


class ReserveGates:
    """Its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
        apart: timedelta = timedelta(seconds=10),
    ) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._apart = apart
        self._follow_at = self._look_at = self._behind_at = clock()
        self._seen: dict[str, tuple[Any, ...]] = {}

    async def step(self) -> int:
        """Let out what may go by now; how many transfers were let out or held."""
        now = self._clock()
        if now >= self._follow_at:
            self._follow_at = now + FOLLOWS
            async with self._db.transaction() as tx:
                await reserve_gate.follow_policy(tx, now)
        elif now < self._look_at:
            return 0
        async with self._db.autocommit() as tx:
            gates = await store.reserve_gate.news(tx, now)
        if not gates:
            self._look_at = now + LOOKS
            return 0
        return sum([await self._let_out(gate, now) for gate in gates])

    async def _let_out(self, gate: GateNews, now: datetime) -> int:
        """Held transfers are looked at when the gate is another than at the last look."""
        state = (gate.number, gate.is_stale, gate.watched)
        if not gate.due and not (gate.held and self._seen.get(gate.currency) != state):
            await self._read_again(gate, now)
            return 0
        async with self._db.transaction() as tx:
            decided = await reserve_gate.let_out(tx, gate.currency, now)
        if decided is None:
            return 0
        if not decided.out:
            self._seen[gate.currency] = state
        metrics.GATED.labels("let_out").inc(len(decided.out))
        metrics.GATED.labels("held").inc(len(decided.held))
        if decided.out:
            self._wake()
        return len(decided.out) + len(decided.held)

    async def _read_again(self, gate: GateNews, now: datetime) -> None:
        """Have the balance read when transfers wait, and what a reading took off is no longer under way."""
        if not gate.held or now < self._behind_at:
            return
        self._behind_at = now + LOOKS
        async with self._db.transaction() as tx:
            if await store.balance_readings.is_behind(tx, gate.currency):
                await store.balance_readings.read_soon(tx, now, self._apart)
