"""Ask Stripe what was refunded of a student's payments, then order or answer: read with no transaction open.

Stripe is asked before anything is ordered, because somebody may have refunded by hand, and because a restored
database does not know what was refunded for the same request after its backup.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fleet.database import Database
from fleet.envelope import first_cause
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.odd_objects import OddObject
from services.payouts.domain.reading import Wait
from services.payouts.domain.refunds import CardPayment, SeenRefund
from services.payouts.steps import refunds
from services.payouts.stripe import odd_objects
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

AT_ONCE: Final = 10
PAYMENTS_MAX: Final = 100  # of a student: of older ones nothing is refunded
BY_ONE_MAX: Final = 5  # payments that are asked for one by one; of more, all refunds are listed at once
EARLIER: Final = timedelta(days=4)  # a payment may be told of so long after it was made: Stripe tries 3 days
LEASE: Final = timedelta(seconds=30)  # while Stripe is asked: after a killed process another one asks
ASKED_AGAIN: Final = Wait(first=timedelta(seconds=5), most=timedelta(minutes=10))  # after no answer


@dataclass(slots=True)
class _Read:
    """Refunds at Stripe; the payments of which all could be read, and what could not be."""

    payments: list[CardPayment] = field(default_factory=list)
    seen: list[SeenRefund] = field(default_factory=list)
    odd: list[OddObject] = field(default_factory=list)


class Refunds:
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
        """Go on with requests that are due; how many were."""
        async with self._db.autocommit() as tx:
            due = await store.refunds.take_due(tx, AT_ONCE, self._clock(), LEASE)
        for one in due:
            await self._order(one.settlement_id, one.wallet, one.currency)
        return len(due)

    async def _order(self, settlement_id: UUID, wallet: str, currency: str) -> None:
        async with self._db.transaction() as tx:
            request = await refunds.take_turn(tx, settlement_id, wallet, self._clock())
            if request is None:
                return
            payments = await store.refunds.payments_of(tx, wallet, currency, PAYMENTS_MAX)
        read, now = await self._read(payments), self._clock()
        async with self._db.transaction() as tx:
            if isinstance(read, str):
                due_at = now + ASKED_AGAIN.after(now - request.requested_at)
                return await store.refunds.wait(tx, settlement_id, read, due_at)
            await odd_objects.keep(tx, read.odd, now, first_cause())
            await refunds.order(tx, settlement_id, wallet, read.payments, read.seen, now)
        return self._wake()

    async def _read(self, payments: Sequence[CardPayment]) -> _Read | str:
        """Read every refund of these payments; a sentence when Stripe did not answer, or refused."""
        listed = await self._listed(payments) if len(payments) > BY_ONE_MAX else None
        shown = await self._one_by_one(payments) if listed is None else listed
        if isinstance(shown, str):
            return shown
        whole = _Read()
        for payment in payments:
            read, unreadable = wire.stripe_objects.read_each(
                "refund", shown.get(payment.charge_id, []), wire.stripe_objects.seen_refund
            )
            whole.seen += read
            whole.odd += unreadable
            if not unreadable:
                whole.payments.append(payment)
        return whole

    async def _listed(self, payments: Sequence[CardPayment]) -> Mapping[str, Any] | str | None:
        """The school's refunds since the oldest of these payments, by charge; None: ask for each payment.

        A sentence when Stripe wants fewer calls: a call for each payment would be more of them.
        """
        since = min(payment.received_at for payment in payments) - EARLIER
        turn = self._pace.reading(Endpoint.REFUNDS).turn
        answer = await self._pace.read(Endpoint.REFUNDS, lambda: self._client.refunds_since(since, turn))
        if classify(answer) is StripeVerdict.SLOW_DOWN:
            return f"cannot see what was refunded: {answer.sentence}"
        if classify(answer) is not StripeVerdict.DONE:
            return None
        found: dict[str, list[Any]] = {}
        for thing in answer.body.get("data") or []:
            if isinstance(thing, Mapping):  # what names no charge is of none of these payments
                found.setdefault(str(thing.get("charge")), []).append(thing)
        return found

    async def _one_by_one(self, payments: Sequence[CardPayment]) -> Mapping[str, Any] | str:
        """What Stripe lists as each payment's refunds, by charge; a sentence when it did not answer."""
        found: dict[str, Any] = {}
        for payment in payments:
            answer = await self._refunds_of(payment.charge_id)
            if classify(answer) is not StripeVerdict.DONE:
                return f"cannot see what was refunded: {answer.sentence}"
            found[payment.charge_id] = answer.body.get("data")
        return found

    async def _refunds_of(self, charge: str) -> StripeAnswer:
        return await self._pace.read(Endpoint.REFUNDS, lambda: self._client.refunds_of(charge))
