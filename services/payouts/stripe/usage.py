"""Reads of Stripe in 30 days, beside what it allows; above a share of that the loops slow down.

Each process counts its own and adds them to one row for each day, so that a restart forgets at most the last
seconds, and each process knows all.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.database import Database
from services.payouts import metrics, store
from services.payouts.domain.reading import WINDOW, allowance, percent_used, stretch_at


class Usage:
    """`asked` hears every call, `settled` every charge; the loops ask for `stretch`. Its loop runs `step`."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._reads = 0
        self._transactions = 0
        self._percent = 0

    @property
    def stretch(self) -> int:
        """How many times longer the loops wait now."""
        return stretch_at(self._percent)

    def asked(self, endpoint: str) -> None:
        if endpoint.startswith("GET "):
            metrics.READS.labels(endpoint).inc()
            self._reads += 1

    def settled(self) -> None:
        self._transactions += 1

    async def step(self) -> int:
        """Save, so that the loop rests. Returns 0."""
        await self.save()
        return 0

    async def save(self) -> None:
        """Add what was counted to today's row, and compare the last 30 days with the allowance."""
        counted, self._reads = self._reads, 0
        settled, self._transactions = self._transactions, 0
        today = self._clock().date()
        try:
            async with self._db.transaction() as tx:
                if counted or settled:
                    await store.usage.add(tx, today, counted, settled)
                reads, transactions = await store.usage.since(tx, today - WINDOW)
        except BaseException:
            self._reads += counted
            self._transactions += settled
            raise
        self._percent = percent_used(reads, transactions)
        metrics.READS_PER_TRANSACTION.set(reads / max(transactions, 1))
        metrics.ALLOWANCE_USED.set(reads / allowance(transactions))
        metrics.STRETCH.set(self.stretch)
