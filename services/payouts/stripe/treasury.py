"""Read the school's Stripe balance while transfers wait for it, and send those that it covers, oldest first.

Each gets a new generation: under the old key Stripe would replay its refusal for a day.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from fleet.database import Database
from fleet.faults import fault_point
from services.payouts import store, wire
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.domain.balance import decide_covered
from services.payouts.domain.operations import State
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pacer


class Treasury:
    """Releases transfers that wait for the school's balance; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pacer: Pacer,
        clock: Callable[[], datetime],
        poll: timedelta,
    ) -> None:
        self._db = db
        self._client = client
        self._pacer = pacer
        self._clock = clock
        self._poll = poll
        self._look_at = clock()

    def look_now(self) -> None:
        """Read the balance at the next step, because money may have come in."""
        self._look_at = self._clock()

    async def step(self) -> int:
        """When it is time and transfers wait, read the balance; how many transfers it released."""
        if self._clock() < self._look_at:
            return 0
        self._look_at = self._clock() + self._poll
        async with self._db.transaction() as tx:
            if not await store.balance.waiting(tx):
                return 0
        await self._pacer.turn()
        answer = await self._client.balance()
        if classify(answer) is not StripeVerdict.DONE:
            return 0
        await fault_point("treasury.looked")
        return await self._release(wire.stripe_objects.available(answer.body))

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
