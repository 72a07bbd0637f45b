"""Ask Stripe what can be taken back for a request, then order it: read with no transaction open, then record.

Stripe is asked before anything is ordered, because somebody may have reversed by hand, and because a restored
database does not know what was taken back for the same request after its backup.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fleet.database import Database
from fleet.envelope import first_cause
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.clawbacks import SentMoney
from services.payouts.domain.endpoints import Endpoint
from services.payouts.steps import clawbacks
from services.payouts.stripe import effects
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

AT_ONCE: Final = 10
LEASE: Final = timedelta(seconds=30)  # while Stripe is asked; when it does not answer, it is asked again


class _Unanswered(Exception):
    """Stripe did not say what is needed; it is asked again when the lease ends."""


@dataclass(slots=True)
class _Read:
    """What Stripe shows: account -> minor units available, and reversals of transfers with new ones."""

    available: dict[str, int] = field(default_factory=dict)
    reversals: list[Any] = field(default_factory=list)
    problem: str | None = None


class Clawbacks:
    """Goes on with requests that are due; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._db = db
        self._client = client
        self._pace = pace
        self._clock = clock
        self._wake = wake

    async def step(self) -> int:
        """Give up what is too late, and go on with requests that are due; how many were."""
        now = self._clock()
        async with self._db.autocommit() as tx:
            late = await store.clawbacks.wallets_too_late(tx, now)
            due = await store.clawbacks.take_due(tx, AT_ONCE, now, LEASE)
        for wallet in late:
            async with self._db.transaction() as tx:
                await store.payees.lock(tx, [wallet])
                await clawbacks.give_up_late(tx, wallet, now)
        for one in due:
            if one.state == "waiting":
                await self._claim(one.wallet)
            else:
                await self._order(one.settlement_id, one.wallet, one.currency)
        return len(late) + len(due)

    async def _claim(self, wallet: str) -> None:
        async with self._db.transaction() as tx:
            await store.payees.lock(tx, [wallet])
            await clawbacks.claim(tx, [wallet], self._clock())

    async def _order(self, settlement_id: UUID, wallet: str, currency: str) -> None:
        async with self._db.transaction() as tx:
            sent = await store.returns.sent_money(tx, wallet, currency, (), self._clock())
        try:
            read = await self._read(sent, currency)
        except _Unanswered:
            return
        now = self._clock()
        async with self._db.transaction() as tx:
            await store.payees.lock(tx, [wallet])
            await effects.note_reversals(tx, read.reversals, now, first_cause())
            await clawbacks.order(tx, settlement_id, wallet, read.available, read.problem, now)
        self._wake()

    async def _read(self, sent: list[SentMoney], currency: str) -> _Read:
        read = _Read()
        for account in sorted({money.stripe_account for money in sent}):
            await self._read_account(account, currency, read)
        return read

    async def _read_account(self, account: str, currency: str, read: _Read) -> None:
        """Read what an account has available, and of the transfers to it what was taken back unnoticed."""
        listed = self._said(
            await self._pace.read(Endpoint.TRANSFERS, lambda: self._client.transfers_to(account))
        )
        transfers, _ = wire.stripe_objects.read_each(
            "transfer", listed.body.get("data"), wire.stripe_objects.reversed_amount
        )
        async with self._db.transaction() as tx:
            unnoted = await store.payouts.with_reversals_not_noted(tx, {i: n for i, n in transfers if n > 0})
        for transfer in unnoted:
            read.reversals += await self._reversals_of(transfer)
        balance = await self._pace.read(Endpoint.BALANCE, lambda: self._client.balance(account))
        if classify(balance) is StripeVerdict.REFUSED:  # the account is gone
            read.problem = balance.sentence
        else:
            read.available[account] = wire.stripe_objects.available(self._said(balance).body).get(currency, 0)

    async def _reversals_of(self, transfer: str) -> list[Any]:
        listed = await self._pace.read(Endpoint.REVERSALS, lambda: self._client.reversals_of(transfer))
        return list(self._said(listed).body.get("data") or ())

    @staticmethod
    def _said(answer: StripeAnswer) -> StripeAnswer:
        if classify(answer) is not StripeVerdict.DONE:
            raise _Unanswered
        return answer
