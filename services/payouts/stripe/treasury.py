"""Read the school's Stripe balance while transfers wait for it, and send those that it covers, oldest first.

Each gets a new generation: under the old key Stripe would replay its refusal for a day. A webhook that brings
money has the balance read at once; without one it is read ever more seldom, at most once an hour, whatever
process does it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from fleet.database import Database
from fleet.faults import fault_point
from services.payouts import store, wire
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.domain.balance import decide_covered
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.operations import State
from services.payouts.domain.reading import Wait
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.usage import Usage

SEEN_WITHIN: Final = timedelta(seconds=1)  # after what time a process notices that the balance is short


class Treasury:
    """Releases transfers that wait for the school's balance; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        usage: Usage,
        clock: Callable[[], datetime],
        wait: Wait,
    ) -> None:
        self._db = db
        self._client = client
        self._pace = pace
        self._usage = usage
        self._clock = clock
        self._wait = wait
        self._notice_at = clock()
        self._brought_money = False
        self._failures = 0

    def look_now(self) -> None:
        """Read the balance at the next step, because money may have come in."""
        self._brought_money = True

    async def step(self) -> int:
        """When it is time and transfers wait, read the balance; how many transfers it released."""
        now = self._clock()
        if now < self._notice_at and not self._brought_money:
            return 0
        self._notice_at = now + min(SEEN_WITHIN, self._wait.first)
        if not await self._is_time(now):
            return 0
        answer = await self._pace.read(Endpoint.BALANCE, self._client.balance)
        if classify(answer) is not StripeVerdict.DONE:
            await self._look_again()
            return 0
        self._failures = 0
        await fault_point("treasury.looked")
        return await self._release(wire.stripe_objects.available(answer.body))

    async def _is_time(self, now: datetime) -> bool:
        """Whether transfers wait and this process is the one to look; the next look is planned by then."""
        brought, self._brought_money = self._brought_money, False
        try:
            return await self._plan(now, brought)
        except BaseException:
            self._brought_money |= brought
            raise

    async def _plan(self, now: datetime, brought: bool) -> bool:
        async with self._db.transaction() as tx:
            if not await store.balance.waiting(tx):
                await store.read_schedule.balance_suffices(tx)
                return False
            if await store.relay_stop.current(tx) is not None:
                return False
            if brought:
                await store.read_schedule.look_at_balance(tx, now)
            short_since, due_at = await store.read_schedule.balance_due(tx, now)
            next_at = now + self._wait.after(now - short_since, self._usage.stretch)
            return due_at <= now and await store.read_schedule.plan_look(tx, due_at, next_at)

    async def _look_again(self) -> None:
        """Look again soon after Stripe did not answer; ever more seldom when it goes on."""
        wait = min(self._wait.first * (1 << min(self._failures, 20)), self._wait.most)
        self._failures += 1
        async with self._db.transaction() as tx:
            await store.read_schedule.look_at_balance(tx, self._clock() + wait)

    async def _release(self, balance: Mapping[str, int]) -> int:
        now = self._clock()
        async with self._db.transaction() as tx:
            waiting = await store.balance.waiting(tx)
            committed = await store.balance.committed(tx, sorted(balance))
            covered = decide_covered(waiting, balance, committed)
            transfers = await store.operations.start_new_generation(tx, covered, [State.HELD], now)
            moves = [Move(transfer_id=transfer, to=TransferState.PENDING) for transfer in transfers]
            await store.transfers.move(tx, moves, now)
        return len(transfers)
