"""Watch the school's Stripe balance for the transfers that wait for it, and start them again, oldest first.

Stripe replays a refusal for a day under the same key, so each gets a new generation here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fleet.database import Database
from fleet.faults import fault_point
from services.payouts import store
from services.payouts.domain.answers import Verdict, classify
from services.payouts.domain.balance import decide_covered
from services.payouts.domain.operations import State
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.stripe.client import StripeGateway
from services.payouts.stripe.pacer import Limiter


class Treasury:
    """`step` is what its loop runs; `money_came` says that looking now is worth it."""

    def __init__(
        self,
        db: Database,
        gateway: StripeGateway,
        limiter: Limiter,
        clock: Callable[[], datetime],
        poll: timedelta,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._limiter = limiter
        self._clock = clock
        self._poll = poll
        self._look_at = clock()

    def money_came(self) -> None:
        self._look_at = self._clock()

    async def step(self) -> int:
        """When something waits for the balance and it is time, look and release; how many were released."""
        if self._clock() < self._look_at:
            return 0
        self._look_at = self._clock() + self._poll
        async with self._db.transaction() as tx:
            if not await store.balance.waiting(tx):
                return 0
        await self._limiter.turn()
        answer = await self._gateway.balance()
        if classify(answer) is not Verdict.DONE:
            return 0
        await fault_point("treasury.looked")
        return await self._release(available(answer.body))

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


def available(balance: Mapping[str, Any]) -> dict[str, int]:
    """What may be sent now, by currency; what is still pending at Stripe may not."""
    totals: dict[str, int] = {}
    for part in balance.get("available", ()):
        currency = str(part["currency"]).upper()
        totals[currency] = totals.get(currency, 0) + int(part["amount"])
    return totals
