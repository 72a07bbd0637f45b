"""Read Stripe's objects again: webhooks are late, repeated, lost and out of order; the objects are not.

Three phases, as in the relay: lease, read with no transaction open, record. Webhooks come first: without one
an object is read ever more seldom, and what leads nowhere ends with a reason (decision 0193).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Database, Tx
from fleet.faults import fault_point
from fleet.inbox import Unreadable
from fleet.outages import Blame, blame
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.domain.payees import DISCONNECTED, AccountStatus, Payee, differs
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.reading import PutOff, Rechecks
from services.payouts.domain.rereads import Reread, RereadKind, RereadRequest
from services.payouts.steps import agreements, payments, retries
from services.payouts.stripe import effects, odd_objects
from services.payouts.stripe.account_reads import AccountRead, account_read, list_accounts, lost_account
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.usage import Usage

AT_ONCE = 8
ACCOUNTS_AT_ONCE = 100  # of one list call

_log = logging.getLogger(__name__)


class _Superseded(Exception):
    """The object was requested again while it was read: what was read may be older than the request."""


class Rereader:
    """Reads the objects that are due; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        usage: Usage,
        clock: Callable[[], datetime],
        rechecks: Rechecks,
        *,
        put_off: PutOff,
        lease: timedelta,
    ) -> None:
        self._db = db
        self._client = client
        self._pace = pace
        self._usage = usage
        self._clock = clock
        self._rechecks = rechecks
        self._put_off = put_off
        self._lease = lease
        self._room = asyncio.Semaphore(AT_ONCE)

    async def step(self) -> int:
        """Lease the objects that are due, read them from Stripe, and record them; how many were due."""
        now = self._clock()
        async with self._db.transaction() as tx:
            rereads = await store.rereads.claim(tx, AT_ONCE, now, self._lease)
            if any(reread.kind is RereadKind.ACCOUNT for reread in rereads):
                rereads += await store.rereads.claim_early(tx, ACCOUNTS_AT_ONCE, now, self._lease)
            among = await store.payees.count_accounts(tx) if len(rereads) > 1 else 1
        if not rereads:
            return 0
        await fault_point("inquiry.claimed")
        accounts = [reread for reread in rereads if reread.kind is RereadKind.ACCOUNT]
        listed = await list_accounts(self._client, self._pace, accounts, among)
        await asyncio.gather(*(self._read(reread, listed.get(reread.object_id)) for reread in rereads))
        return len(rereads)

    async def _read(self, reread: Reread, listed: StripeAnswer | None) -> None:
        """Read one object; what is odd about it keeps no other from being read."""
        try:
            async with self._room:
                await self._read_one(reread, listed)
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
            if self._put_off.odd.is_over(reread.attempts):
                await store.rereads.end(tx, reread, now, f"it stayed odd: {odd.sentence}")
            else:
                next_at = now + self._put_off.odd.after(reread.attempts)
                await store.rereads.put_off(tx, reread, next_at, odd.sentence)

    async def _read_one(self, reread: Reread, listed: StripeAnswer | None) -> None:
        match reread.kind:
            case RereadKind.ACCOUNT:
                await self._read_account(reread, listed)
            case RereadKind.CHARGE_FEE:
                await self._read_charge(reread)
            case RereadKind.PAYMENT:
                await self._read_payment(reread)
            case RereadKind.PAYOUT_FEE:
                await self._read_payout(reread)
            case RereadKind.REVERSALS:
                await self._read_reversals(reread)

    # Accounts

    async def _read_account(self, reread: Reread, listed: StripeAnswer | None) -> None:
        about = reread.object_id
        account = listed or await self._pace.read(Endpoint.ACCOUNT, lambda: self._client.account(about))
        verdict = classify(account)
        if verdict is StripeVerdict.REFUSED:
            return await self._write_account(reread, AccountRead(status=lost_account(reread)))
        if verdict is not StripeVerdict.DONE:
            return await self._later(reread, account)
        status = wire.stripe_objects.account_status(account.body, None, about)
        async with self._db.transaction() as tx:
            had_money = await store.payouts.had_money(tx, about)
        if not status.ready and not had_money:  # nothing of it can move
            return await self._write_account(reread, AccountRead(status=status))
        balance = await self._pace.read(Endpoint.BALANCE, lambda: self._client.balance(about))
        payouts = await self._pace.read(Endpoint.PAYOUTS, lambda: self._client.payouts_of(about))
        transfers = await self._pace.read(Endpoint.TRANSFERS, lambda: self._client.transfers_to(about))
        for answer in (balance, payouts, transfers):
            if classify(answer) is not StripeVerdict.DONE:
                return await self._later(reread, answer)
        await self._write_account(reread, account_read(reread, account, balance, payouts, transfers))

    async def _write_account(self, reread: Reread, read: AccountRead) -> None:
        """Write what was read; when the database refuses one payout of it, write the others without it."""
        try:
            await self._record_account(reread, read, one_by_one=False)
        except Exception as error:
            if blame(error) is not Blame.RECORD:
                raise
            await self._record_account(reread, read, one_by_one=True)

    async def _record_account(self, reread: Reread, read: AccountRead, *, one_by_one: bool) -> None:
        now, status = self._clock(), read.status
        async with self._recording(reread, now) as tx:
            wallet = await store.payees.wallet_of_account(tx, status.stripe_account)
            if wallet is None:  # no payee's account, or the operation that made it is still being recorded
                return
            [payee] = await store.payees.lock(tx, [wallet])
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
            await self._plan_next(tx, reread, payee, status, now)

    async def _plan_next(
        self, tx: Tx, reread: Reread, payee: Payee, status: AccountStatus, now: datetime
    ) -> None:
        """Plan an account's next reading: soon after a change, whoever told it, then ever more seldom."""
        changed = differs(payee, status)
        age = timedelta() if changed else now - reread.asked_at
        if status.disabled_reason == DISCONNECTED and age >= self._put_off.unread.ends_after:
            return await store.rereads.end_after_this(
                tx, reread, now, "Stripe shows us the account no longer"
            )
        if not status.ready or status.balance_negative:
            wait = self._rechecks.unready.after(age, self._usage.stretch)
        elif await store.payouts.awaits_bank(tx, payee.wallet):
            wait = self._rechecks.unsettled.after(age, self._usage.stretch)
        else:
            wait = self._rechecks.ready * self._usage.stretch
        return await store.rereads.schedule_next(tx, reread, now + wait, changed_at=now if changed else None)

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
        answer = await self._pace.read(Endpoint.CHARGE, lambda: self._client.charge(reread.object_id))
        transaction = answer.body.get("balance_transaction")
        if classify(answer) is not StripeVerdict.DONE or not isinstance(transaction, Mapping):
            if why := wire.stripe_objects.moves_nothing(answer.body):
                return await self._end(reread, why)
            return await self._later(reread, answer)
        try:
            settled = wire.stripe_objects.settled_charge(transaction, reread.object_id)
        except OddField as problem:
            return await self._put_off_odd(reread, transaction, problem)
        message = wire.messages.charge_settled(settled, reread.object_id, reread.trace)
        async with self._recording(reread, self._clock()) as tx:
            await store.odd_objects.forget(tx, str(reread.kind), [reread.object_id])
            await outbox.stage(tx, [message])
        self._usage.settled()

    async def _read_payment(self, reread: Reread) -> None:
        """Tell of a payment of which no webhook told: receivables books it, and its fee is read then."""
        answer = await self._pace.read(Endpoint.CHARGE, lambda: self._client.charge(reread.object_id))
        if classify(answer) is not StripeVerdict.DONE:
            return await self._later(reread, answer)
        now = self._clock()
        try:
            message = wire.missed_events.payment_read(answer.body, now)
        except Unreadable as problem:
            return await self._put_off_odd(reread, answer.body, problem)
        async with self._recording(reread, now) as tx:
            await store.odd_objects.forget(tx, str(reread.kind), [reread.object_id])
            await outbox.stage(tx, [message])

    async def _read_payout(self, reread: Reread) -> None:
        account = str(reread.stripe_account)
        answer = await self._pace.read(
            Endpoint.PAYOUT, lambda: self._client.payout(reread.object_id, account)
        )
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
        answer = await self._pace.read(
            Endpoint.REVERSALS, lambda: self._client.reversals_of(reread.object_id)
        )
        if classify(answer) is not StripeVerdict.DONE:
            return await self._later(reread, answer)
        now = self._clock()
        async with self._recording(reread, now) as tx:
            await effects.note_reversals(tx, answer.body.get("data"), now, reread.trace)

    # What cannot be read

    async def _later(self, reread: Reread, answer: StripeAnswer) -> None:
        """Try again later, ever more seldom; end it when Stripe does not know it, or has not told in time."""
        if reread.kind is not RereadKind.ACCOUNT:
            if classify(answer) is StripeVerdict.REFUSED:
                return await self._end(reread, f"Stripe does not show it: {answer.sentence}", answer.body)
            if self._put_off.unread.is_over(reread.attempts):
                return await self._end(reread, f"it stayed unread: {answer.sentence}", answer.body)
        wait = self._put_off.unread.after(reread.attempts)
        async with self._db.transaction() as tx:
            await store.rereads.put_off(tx, reread, self._clock() + wait, answer.sentence)
        _log.info(
            "reading again put off",
            extra={"kind": str(reread.kind), "object": reread.object_id, "wait_s": wait.total_seconds()},
        )
        return None

    async def _end(self, reread: Reread, sentence: str, shown: Mapping[str, object] | None = None) -> None:
        """Read it no more until a webhook names it. What somebody has to look at is kept as odd."""
        now = self._clock()
        async with self._db.transaction() as tx:
            if not await store.rereads.end(tx, reread, now, sentence):
                return
            if shown is not None:
                odd = wire.fields.odd_object(str(reread.kind), shown, sentence, reread.stripe_account)
                await odd_objects.keep(tx, [replace(odd, object_id=reread.object_id)], now, reread.trace)
        _log.info("reading again ended", extra={"object": reread.object_id, "sentence": sentence})


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


async def _forget_odd(tx: Tx, read: AccountRead, odd: Sequence[OddObject]) -> None:
    still = {(one.kind, one.object_id) for one in odd}
    for kind, ids in read.read_well:
        await store.odd_objects.forget(tx, kind, [i for i in ids if (kind, i) not in still])


async def note_status(tx: Tx, wallet: str, status: AccountStatus, now: datetime, trace: Cause) -> None:
    """Write an account's status, and pay or hold the payee's money accordingly."""
    if await store.payees.set_status(tx, status, now):
        await retries.retry_enabled(tx, wallet, now)
    if status.agreement is not None:
        await agreements.note(tx, wallet, status.agreement, trace)
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
    fee = await store.payouts.fee_of(tx, payout.stripe_payout_id) or 0
    if payout.status == "paid":
        await store.payout_parts.map_to_transfers(tx, payout, payout.amount + fee, now)
        transfers = await store.payout_parts.transfers_in(tx, payout.stripe_payout_id)
    else:
        sentence = f"payout {payout.stripe_payout_id} came back: {payout.failure or payout.status}"
        transfers = await store.payout_parts.unmap(tx, payout.stripe_payout_id, sentence, now)
    if payout.amount <= 0:  # Stripe took it from the payee's bank: it brought nothing there
        return await outbox.stage(tx, wire.notifications.debit_notifications(payout, wallet, trace))
    await outbox.stage(tx, wire.messages.payout_messages(payout, wallet, fee, transfers, now, trace))
