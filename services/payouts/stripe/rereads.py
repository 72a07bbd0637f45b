"""Read Stripe's objects again: webhooks are late, repeated, lost and out of order; the objects are not.

Three phases, as in the relay: lease, read with no transaction open, record.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Database, Tx
from fleet.faults import fault_point
from fleet.outages import Blame, blame
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.domain.payees import DISCONNECTED, AccountStatus
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.rereads import Reread, RereadKind, RereadRequest
from services.payouts.steps import payments, retries
from services.payouts.stripe import effects, odd_objects
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pacer

AT_ONCE = 8
PUT_OFF_MAX_S = 60.0
ODD_AGAIN = timedelta(hours=1)  # an odd object may read well later

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecks:
    """After what time an account is read again without a webhook, so that a lost webhook only delays."""

    unready: timedelta
    unsettled: timedelta
    ready: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountRead:
    """What Stripe shows of a connected account. `read_well`: kind -> ids of what was odd before, perhaps."""

    status: AccountStatus
    payouts: tuple[SeenPayout, ...] = ()
    reversed_amounts: Mapping[str, int] = field(default_factory=dict)
    read_well: tuple[tuple[str, tuple[str, ...]], ...] = ()
    odd: tuple[OddObject, ...] = ()


class _Superseded(Exception):
    """The object was requested again while it was read: what was read may be older than the request."""


class Rereader:
    """Reads the objects that are due; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pacer: Pacer,
        clock: Callable[[], datetime],
        rechecks: Rechecks,
        *,
        lease: timedelta,
    ) -> None:
        self._db = db
        self._client = client
        self._pacer = pacer
        self._clock = clock
        self._rechecks = rechecks
        self._lease = lease

    async def step(self) -> int:
        """Lease the objects that are due, read them from Stripe, and record them; how many were due."""
        async with self._db.transaction() as tx:
            rereads = await store.rereads.claim(tx, AT_ONCE, self._clock(), self._lease)
        if rereads:
            await fault_point("inquiry.claimed")
        await asyncio.gather(*(self._read(reread) for reread in rereads))
        return len(rereads)

    async def _read(self, reread: Reread) -> None:
        """Read one object; what is odd about it keeps no other from being read."""
        try:
            await self._read_one(reread)
        except Exception as error:
            if blame(error) is not Blame.RECORD:
                raise
            _log.exception("an object could not be written", extra={"object": reread.object_id})
            await self._put_off_odd(reread, {"id": reread.object_id}, error)

    async def _put_off_odd(self, reread: Reread, thing: object, problem: Exception) -> None:
        """Keep an object that was read alone and is odd; it is read again later."""
        now = self._clock()
        odd = wire.fields.odd_object(str(reread.kind), thing, problem, reread.stripe_account)
        async with self._db.transaction() as tx:
            await odd_objects.keep(tx, [replace(odd, object_id=reread.object_id)], now, reread.trace)
            await store.rereads.put_off(tx, reread, now + ODD_AGAIN, odd.sentence)

    async def _read_one(self, reread: Reread) -> None:
        match reread.kind:
            case RereadKind.ACCOUNT:
                await self._read_account(reread)
            case RereadKind.CHARGE_FEE:
                await self._read_charge(reread)
            case RereadKind.PAYOUT_FEE:
                await self._read_payout(reread)
            case RereadKind.REVERSALS:
                await self._read_reversals(reread)

    async def _ask(self, call: Callable[[], Awaitable[StripeAnswer]]) -> StripeAnswer:
        await self._pacer.turn()
        answer = await call()
        if classify(answer) is StripeVerdict.SLOW_DOWN:
            self._pacer.slow_down()
        else:
            self._pacer.went_well()
        return answer

    # Accounts

    async def _read_account(self, reread: Reread) -> None:
        account = await self._ask(lambda: self._client.account(reread.object_id))
        verdict = classify(account)
        if verdict is StripeVerdict.REFUSED:
            return await self._write_account(reread, _AccountRead(status=_lost_account(reread)))
        if verdict is not StripeVerdict.DONE:
            return await self._later(reread, account)
        balance = await self._ask(lambda: self._client.balance(reread.object_id))
        payouts = await self._ask(lambda: self._client.payouts_of(reread.object_id))
        transfers = await self._ask(lambda: self._client.transfers_to(reread.object_id))
        for answer in (balance, payouts, transfers):
            if classify(answer) is not StripeVerdict.DONE:
                return await self._later(reread, answer)
        await self._write_account(reread, _account_read(reread, account, balance, payouts, transfers))

    async def _write_account(self, reread: Reread, read: _AccountRead) -> None:
        """Write what was read; when the database refuses one payout of it, write the others without it."""
        try:
            await self._record_account(reread, read, one_by_one=False)
        except Exception as error:
            if blame(error) is not Blame.RECORD:
                raise
            await self._record_account(reread, read, one_by_one=True)

    async def _record_account(self, reread: Reread, read: _AccountRead, *, one_by_one: bool) -> None:
        now, status = self._clock(), read.status
        async with self._recording(reread, now) as tx:
            wallet = await store.payees.wallet_of_account(tx, status.stripe_account)
            if wallet is None:  # no payee's account, or the operation that made it is still being recorded
                return
            await store.payees.lock(tx, [wallet])
            odd = list(read.odd)
            for payout in reversed(read.payouts):
                if not one_by_one:
                    await note_payout(tx, payout, now, reread.trace)
                elif refusal := await _refusal(tx, payout, now, reread.trace):
                    odd.append(refusal)
            await odd_objects.keep(tx, odd, now, reread.trace)
            await _forget_odd(tx, read, odd)
            await note_status(tx, wallet, status, now, reread.trace)
            transfers = await store.payouts.with_reversals_not_noted(tx, read.reversed_amounts)
            requests = [
                RereadRequest(kind=RereadKind.REVERSALS, object_id=transfer, trace=reread.trace, after=now)
                for transfer in transfers
            ]
            await store.rereads.request(tx, requests, now)
            await store.rereads.schedule_next(tx, reread, now + await self._recheck(tx, wallet, status))

    async def _recheck(self, tx: Tx, wallet: str, status: AccountStatus) -> timedelta:
        if not status.ready or status.balance_negative:
            return self._rechecks.unready
        unsettled = await store.payouts.awaits_bank(tx, wallet)
        return self._rechecks.unsettled if unsettled else self._rechecks.ready

    @asynccontextmanager
    async def _recording(self, reread: Reread, now: datetime) -> AsyncIterator[Tx]:
        """Record what was read, in one transaction; undo it when the object was requested again meanwhile.

        The reread's row is locked last, after payee, operation and transfer, as everywhere.
        """
        await fault_point("inquiry.answered", reread.kind)
        with contextlib.suppress(_Superseded):
            async with self._db.transaction() as tx:
                yield tx
                if not await store.rereads.close(tx, reread, now):
                    raise _Superseded

    # Fees

    async def _read_charge(self, reread: Reread) -> None:
        answer = await self._ask(lambda: self._client.charge(reread.object_id))
        transaction = answer.body.get("balance_transaction")
        if classify(answer) is not StripeVerdict.DONE or not isinstance(transaction, Mapping):
            return await self._later(reread, answer)
        try:
            settled = wire.stripe_objects.settled_charge(transaction, reread.object_id)
        except OddField as problem:
            return await self._put_off_odd(reread, transaction, problem)
        message = wire.messages.charge_settled(settled, reread.object_id, reread.trace)
        async with self._recording(reread, self._clock()) as tx:
            await store.odd_objects.forget(tx, str(reread.kind), [reread.object_id])
            await outbox.stage(tx, [message])

    async def _read_payout(self, reread: Reread) -> None:
        account = str(reread.stripe_account)
        answer = await self._ask(lambda: self._client.payout(reread.object_id, account))
        transaction = answer.body.get("balance_transaction")
        if classify(answer) is not StripeVerdict.DONE or not isinstance(transaction, Mapping):
            return await self._later(reread, answer)
        try:
            payout = wire.stripe_objects.seen_payout(answer.body, account)
            fee = wire.stripe_objects.payout_fee(transaction, payout)
        except OddField as problem:
            return await self._put_off_odd(reread, answer.body, problem)
        now = self._clock()
        async with self._recording(reread, now) as tx:
            wallet = await store.payees.wallet_of_account(tx, account)
            await store.payees.lock(tx, [wallet] if wallet else [])
            await store.odd_objects.forget(tx, str(reread.kind), [reread.object_id])
            charged = await store.payouts.set_fee(tx, reread.object_id, fee)
            if charged is not None and fee:
                payer, currency = charged
                journal = wire.messages.instant_fee_journal(
                    payer, reread.object_id, fee, currency, now, reread.trace
                )
                await outbox.stage(tx, [journal])
            await store.payouts.note(tx, payout, now)
            await settle_payout(tx, payout, now, reread.trace)

    # Reversals

    async def _read_reversals(self, reread: Reread) -> None:
        answer = await self._ask(lambda: self._client.reversals_of(reread.object_id))
        if classify(answer) is not StripeVerdict.DONE:
            return await self._later(reread, answer)
        now = self._clock()
        async with self._recording(reread, now) as tx:
            await effects.note_reversals(tx, answer.body.get("data"), now, reread.trace)

    async def _later(self, reread: Reread, answer: StripeAnswer) -> None:
        wait = min(2.0 ** min(reread.attempts, 20) * 0.5, PUT_OFF_MAX_S)
        async with self._db.transaction() as tx:
            next_at = self._clock() + timedelta(seconds=wait)
            await store.rereads.put_off(tx, reread, next_at, answer.sentence)
        _log.info(
            "reading again put off",
            extra={"kind": str(reread.kind), "object": reread.object_id, "wait_s": wait},
        )


def _account_read(
    reread: Reread,
    account: StripeAnswer,
    balance: StripeAnswer,
    payouts: StripeAnswer,
    transfers: StripeAnswer,
) -> _AccountRead:
    """Read each object of the four answers; those that are not as documented are told apart."""
    objects, about = wire.stripe_objects, reread.object_id
    seen, odd_payouts = objects.read_each(
        "payout", payouts.body.get("data"), lambda thing: objects.seen_payout(thing, about), about
    )
    listed, odd_transfers = objects.read_each(
        "transfer", transfers.body.get("data"), objects.reversed_amount, about
    )
    return _AccountRead(
        status=objects.account_status(account.body, balance.body, about),
        payouts=tuple(seen),
        reversed_amounts={transfer: amount for transfer, amount in listed if amount > 0},
        read_well=(
            ("payout", tuple(payout.stripe_payout_id for payout in seen)),
            ("transfer", tuple(transfer for transfer, _ in listed)),
        ),
        odd=(*odd_payouts, *odd_transfers, *objects.odd_balance(balance.body, about)),
    )


async def _refusal(tx: Tx, payout: SeenPayout, now: datetime, trace: Cause) -> OddObject | None:
    """Note a payout by itself; what is odd about it when the database refuses it."""
    try:
        async with tx.savepoint():
            await note_payout(tx, payout, now, trace)
    except Exception as error:
        if blame(error) is not Blame.RECORD:
            raise
        about = {"id": payout.stripe_payout_id, "amount": payout.amount, "status": payout.status}
        return wire.fields.odd_object("payout", about, error, payout.stripe_account)
    return None


async def _forget_odd(tx: Tx, read: _AccountRead, odd: Sequence[OddObject]) -> None:
    still = {(one.kind, one.object_id) for one in odd}
    for kind, ids in read.read_well:
        await store.odd_objects.forget(tx, kind, [i for i in ids if (kind, i) not in still])


def _lost_account(reread: Reread) -> AccountStatus:
    """The status of an account that Stripe no longer shows us: closed, or removed from this platform."""
    return AccountStatus(
        stripe_account=reread.object_id,
        ready=False,
        details_submitted=False,
        charges_enabled=False,
        payouts_enabled=False,
        requirements=(),
        disabled_reason=DISCONNECTED,
        balance_negative=False,
    )


async def note_status(tx: Tx, wallet: str, status: AccountStatus, now: datetime, trace: Cause) -> None:
    """Write an account's status, and pay or hold the payee's money accordingly."""
    if await store.payees.set_status(tx, status, now):
        await retries.retry_enabled(tx, wallet, now)
    if not status.ready or status.balance_negative:
        await payments.hold_unsent(tx, [wallet], now)
    await payments.pay(tx, [wallet], now)
    await payments.tell_of_account(tx, wallet, trace)


async def note_payout(tx: Tx, payout: SeenPayout, now: datetime, trace: Cause) -> None:
    """Note a payout's status, and settle it when that is final; an instant one once its fee is known."""
    if not await store.payouts.note(tx, payout, now):
        return
    if payout.instant and await store.payouts.fee_of(tx, payout.stripe_payout_id) is None:
        request = RereadRequest(
            kind=RereadKind.PAYOUT_FEE,
            object_id=payout.stripe_payout_id,
            stripe_account=payout.stripe_account,
            trace=trace,
            after=now,
        )
        return await store.rereads.request(tx, [request], now)
    return await settle_payout(tx, payout, now, trace)


async def settle_payout(tx: Tx, payout: SeenPayout, now: datetime, trace: Cause) -> None:
    """Move the transfers that a paid, failed or cancelled payout carried, and publish that once."""
    wallet = await store.payees.wallet_of_account(tx, payout.stripe_account)
    settled = await store.payouts.settle_once(tx, payout.stripe_payout_id, payout.status)
    if wallet is None or not settled:
        return
    if payout.amount <= 0:  # Stripe took it from the payee's bank: no transfer is in it
        return await outbox.stage(tx, wire.notifications.debit_notifications(payout, wallet, trace))
    fee = await store.payouts.fee_of(tx, payout.stripe_payout_id) or 0
    if payout.status == "paid":
        await store.payouts.map_to_transfers(tx, payout, payout.amount + fee, now)
        transfers = await store.payouts.transfers_in(tx, payout.stripe_payout_id)
    else:
        sentence = f"payout {payout.stripe_payout_id} came back: {payout.failure or payout.status}"
        transfers = await store.payouts.unmap(tx, payout.stripe_payout_id, sentence, now)
    await outbox.stage(tx, wire.messages.payout_messages(payout, wallet, fee, transfers, now, trace))
