"""Read the school's Stripe balance while it keeps a reserve, and publish it.

What was let out and what is under way is noted, under the gate's lock, before Stripe is asked: whatever
leaves meanwhile is counted against the reading, never for it. One process reads at a time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.database import Database
from fleet.faults import fault_point
from services.payouts import store, wire
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.reading import Wait
from services.payouts.domain.reserve_gate import BegunReading
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

SEEN_WITHIN: Final = timedelta(seconds=1)
LEASE: Final = timedelta(seconds=60)  # what a reading may take before another process reads
APART: Final = timedelta(seconds=10)  # however often money moves


class BalanceReadings:
    """Reads and publishes the balance; its loop runs `step`.

    wait: `most` between two readings while nothing moves, `first` after Stripe did not answer.
    """

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        clock: Callable[[], datetime],
        wait: Wait,
        apart: timedelta = APART,
    ) -> None:
        self._db = db
        self._client = client
        self._pace = pace
        self._clock = clock
        self._wait = wait
        self._apart = apart
        self._notice_at = clock()
        self._moved = False
        self._failures = 0

    def look_now(self) -> None:
        """Read the balance soon, because money may have moved."""
        self._moved = True

    async def step(self) -> int:
        """Read the balance when it is time and no other process does; whether it was read."""
        now = self._clock()
        if now < self._notice_at and not self._moved:
            return 0
        self._notice_at = now + SEEN_WITHIN
        begun = await self._begin(now)
        if not begun:
            return 0
        answer = await self._pace.read(Endpoint.BALANCE, self._client.balance)
        await fault_point("balance.read")
        if classify(answer) is not StripeVerdict.DONE:
            await self._again(now)
            return 0
        self._failures = 0
        await self._publish(begun, answer.body, now)
        return 1

    async def _begin(self, now: datetime) -> dict[str, BegunReading]:
        """What moves while this waits for the database is heard at the next step."""
        moved, self._moved = self._moved, False
        try:
            async with self._db.transaction() as tx:
                if await store.relay_stop.current(tx) is not None:
                    self._moved = self._moved or moved
                    return {}
                if moved:
                    await store.balance_readings.read_soon(tx, now, self._apart)
                return await store.balance_readings.begin(tx, now, now + LEASE)
        except BaseException:
            self._moved = self._moved or moved
            raise

    async def _again(self, now: datetime) -> None:
        """Read again soon after Stripe did not answer; ever more seldom when it goes on."""
        wait = min(self._wait.first * (1 << min(self._failures, 20)), self._wait.most)
        self._failures += 1
        async with self._db.transaction() as tx:
            await store.balance_readings.plan(tx, now + wait, instead_of=now + LEASE)

    async def _publish(self, begun: dict[str, BegunReading], body: Any, read_at: datetime) -> None:
        found = wire.balance.amounts(body)
        for currency in begun:
            found.setdefault(currency, wire.balance.nothing())
        number = next(iter(begun.values())).number
        counts = {currency: (row.allowed_total, row.under_way) for currency, row in begun.items()}
        async with self._db.transaction() as tx:
            await store.balance_readings.finish(
                tx, number, found, self._clock(), self._wait.most, read_at + LEASE
            )
            await outbox.stage(tx, [wire.balance.read_message(number, read_at, found, counts)])
            await fault_point("balance.noted")
