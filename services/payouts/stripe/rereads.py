"""Read again from Stripe what a webhook only hinted at: webhooks are late, doubled, lost and out of order,
the object itself is not. Same three phases as the relay: lease, read with no transaction open, record.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet import outbox
from fleet.database import Database, Tx
from fleet.faults import fault_point
from services.payouts import store, wire
from services.payouts.domain.answers import Answer, Verdict, classify
from services.payouts.domain.operations import State
from services.payouts.domain.payees import AccountStatus
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.rereads import Inquiry, InquiryKind, Question
from services.payouts.domain.trace import Trace
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.steps import payments
from services.payouts.stripe import effects
from services.payouts.stripe.client import StripeGateway
from services.payouts.stripe.pacer import Limiter

AT_ONCE = 8
LEASE = timedelta(seconds=60)  # an account is four calls; who is slower than that is asked again
REFUSED_AT_MOST = 5  # generations that readiness alone may start
BACKOFF_MAX_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecks:
    """When an account is read again although nothing hinted at it: a lost webhook delays, it never loses."""

    unready: timedelta = timedelta(seconds=30)
    unsettled: timedelta = timedelta(minutes=10)
    ready: timedelta = timedelta(hours=6)


class _Superseded(Exception):
    """Someone hinted at the object while it was read: the reading may be older than the hint."""


class Inquirer:
    """Answers due inquiries; `step` is what its loop runs."""

    def __init__(
        self,
        db: Database,
        gateway: StripeGateway,
        limiter: Limiter,
        clock: Callable[[], datetime],
        rechecks: Rechecks,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._limiter = limiter
        self._clock = clock
        self._rechecks = rechecks
        self._lease = lease

    async def step(self) -> int:
        """Lease what is due, read it from Stripe, write what it says; how many were due."""
        async with self._db.transaction() as tx:
            inquiries = await store.rereads.claim(tx, AT_ONCE, self._clock(), self._lease)
        if inquiries:
            await fault_point("inquiry.claimed")
        await asyncio.gather(*(self._inquire(inquiry) for inquiry in inquiries))
        return len(inquiries)

    async def _inquire(self, inquiry: Inquiry) -> None:
        match inquiry.kind:
            case InquiryKind.ACCOUNT:
                await self._read_account(inquiry)
            case InquiryKind.CHARGE_FEE:
                await self._read_charge(inquiry)
            case InquiryKind.PAYOUT_FEE:
                await self._read_payout(inquiry)
            case InquiryKind.REVERSALS:
                await self._read_reversals(inquiry)

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        await self._limiter.turn()
        answer = await question()
        if classify(answer) is Verdict.SLOW_DOWN:
            self._limiter.slow_down()
        else:
            self._limiter.went_well()
        return answer

    # Accounts

    async def _read_account(self, inquiry: Inquiry) -> None:
        account = await self._ask(lambda: self._gateway.account(inquiry.object_id))
        verdict = classify(account)
        if verdict is Verdict.REFUSED:
            return await self._write_account(inquiry, _lost_account(inquiry, account), (), {})
        if verdict is not Verdict.DONE:
            return await self._later(inquiry, account)
        balance = await self._ask(lambda: self._gateway.balance(inquiry.object_id))
        payouts = await self._ask(lambda: self._gateway.payouts_of(inquiry.object_id))
        transfers = await self._ask(lambda: self._gateway.transfers_to(inquiry.object_id))
        for answer in (balance, payouts, transfers):
            if classify(answer) is not Verdict.DONE:
                return await self._later(inquiry, answer)
        status = wire.stripe_objects.account_status(account.body, balance.body)
        listed = {t["id"]: t["amount_reversed"] for t in transfers.body["data"] if t["amount_reversed"]}
        return await self._write_account(inquiry, status, payouts.body["data"], listed)

    async def _write_account(
        self,
        inquiry: Inquiry,
        status: AccountStatus,
        payouts: Sequence[Mapping[str, Any]],
        reversed_amounts: Mapping[str, int],
    ) -> None:
        now = self._clock()
        async with self._answering(inquiry, now) as tx:
            wallet = await store.payees.wallet_of_account(tx, status.stripe_account)
            if wallet is None:  # nobody's, or not yet: the operation that made it is being recorded
                return
            await store.payees.lock(tx, [wallet])
            for thing in reversed(payouts):
                await note_payout(tx, thing, status.stripe_account, now, inquiry.trace)
            await note_status(tx, wallet, status, now)
            transfers = await store.payouts.with_reversals_not_noted(tx, reversed_amounts)
            requests = [
                Question(kind=InquiryKind.REVERSALS, object_id=transfer, trace=inquiry.trace, after=now)
                for transfer in transfers
            ]
            await store.rereads.request(tx, requests, now)
            await store.rereads.schedule_next(tx, inquiry, now + await self._recheck(tx, wallet, status))

    async def _recheck(self, tx: Tx, wallet: str, status: AccountStatus) -> timedelta:
        if not status.ready or status.balance_negative:
            return self._rechecks.unready
        unsettled = await store.payouts.awaits_bank(tx, wallet)
        return self._rechecks.unsettled if unsettled else self._rechecks.ready

    @asynccontextmanager
    async def _answering(self, inquiry: Inquiry, now: datetime) -> AsyncIterator[Tx]:
        """Write an answer and close its question; nothing of it stays when someone hinted meanwhile.

        The question is locked last, after payee, operation and transfer, as everywhere.
        """
        await fault_point("inquiry.answered", inquiry.kind)
        with contextlib.suppress(_Superseded):
            async with self._db.transaction() as tx:
                yield tx
                if not await store.rereads.close(tx, inquiry, now):
                    raise _Superseded

    # Fees

    async def _read_charge(self, inquiry: Inquiry) -> None:
        answer = await self._ask(lambda: self._gateway.charge(inquiry.object_id))
        transaction = answer.body.get("balance_transaction")
        if classify(answer) is not Verdict.DONE or not isinstance(transaction, Mapping):
            return await self._later(inquiry, answer)
        available_at = datetime.fromtimestamp(int(transaction["available_on"]), UTC)
        message = wire.messages.charge_settled(transaction, inquiry.object_id, available_at, inquiry.trace)
        async with self._answering(inquiry, self._clock()) as tx:
            await outbox.stage(tx, [message])

    async def _read_payout(self, inquiry: Inquiry) -> None:
        account = str(inquiry.stripe_account)
        answer = await self._ask(lambda: self._gateway.payout(inquiry.object_id, account))
        transaction = answer.body.get("balance_transaction")
        if classify(answer) is not Verdict.DONE or not isinstance(transaction, Mapping):
            return await self._later(inquiry, answer)
        now = self._clock()
        async with self._answering(inquiry, now) as tx:
            wallet = await store.payees.wallet_of_account(tx, account)
            await store.payees.lock(tx, [wallet] if wallet else [])
            fee = int(transaction["fee"])
            charged = await store.payouts.set_fee(tx, inquiry.object_id, fee)
            if charged is not None and fee:
                payer, currency = charged
                journal = wire.messages.instant_fee_journal(
                    payer, inquiry.object_id, fee, currency, now, inquiry.trace
                )
                await outbox.stage(tx, [journal])
            payout = wire.stripe_objects.payout_seen(answer.body, account)
            await store.payouts.note(tx, payout, now)
            await settle_payout(tx, payout, now, inquiry.trace)

    # Reversals

    async def _read_reversals(self, inquiry: Inquiry) -> None:
        answer = await self._ask(lambda: self._gateway.reversals_of(inquiry.object_id))
        if classify(answer) is not Verdict.DONE:
            return await self._later(inquiry, answer)
        now = self._clock()
        async with self._answering(inquiry, now) as tx:
            await effects.note_reversals(tx, answer.body["data"], now)

    async def _later(self, inquiry: Inquiry, answer: Answer) -> None:
        wait = min(2.0 ** min(inquiry.attempts, 20) * 0.5, BACKOFF_MAX_S)
        async with self._db.transaction() as tx:
            next_at = self._clock() + timedelta(seconds=wait)
            await store.rereads.put_off(tx, inquiry, next_at, answer.sentence)
        _log.info(
            "inquiry put off", extra={"kind": str(inquiry.kind), "object": inquiry.object_id, "wait_s": wait}
        )


def _lost_account(inquiry: Inquiry, answer: Answer) -> AccountStatus:
    """Stripe no longer lets us see the account: closed, or taken away from this platform."""
    return AccountStatus(
        stripe_account=inquiry.object_id,
        ready=False,
        details_submitted=False,
        charges_enabled=False,
        payouts_enabled=False,
        requirements=(),
        disabled_reason=answer.refusal,
        balance_negative=False,
    )


async def note_status(tx: Tx, wallet: str, status: AccountStatus, now: datetime) -> None:
    """Believe what an account says of itself, and pay or hold accordingly."""
    if await store.payees.set_status(tx, status, now):
        await _retry_refused(tx, wallet, now)
    if not status.ready or status.balance_negative:
        await payments.hold_unsent(tx, [wallet], now)
    await payments.pay(tx, [wallet], now)


async def _retry_refused(tx: Tx, wallet: str, now: datetime) -> None:
    """The account is in order again: what was refused because of it gets a new generation."""
    refused = await store.operations.refused_for_account(tx, wallet, REFUSED_AT_MOST)
    transfers = await store.operations.start_new_generation(tx, refused, [State.REFUSED], now)
    moves = [Move(transfer_id=transfer, to=TransferState.PENDING) for transfer in transfers]
    await store.transfers.move(tx, moves, now)


async def note_payout(tx: Tx, thing: Mapping[str, Any], account: str, now: datetime, trace: Trace) -> None:
    """Note what a payout of a connected account is now; say so when it reached the bank or came back."""
    payout = wire.stripe_objects.payout_seen(thing, account)
    if not await store.payouts.note(tx, payout, now):
        return
    if payout.instant and await store.payouts.fee_of(tx, payout.stripe_payout_id) is None:
        request = Question(
            kind=InquiryKind.PAYOUT_FEE,
            object_id=payout.stripe_payout_id,
            stripe_account=account,
            trace=trace,
            after=now,
        )
        return await store.rereads.request(tx, [request], now)
    return await settle_payout(tx, payout, now, trace)


async def settle_payout(tx: Tx, payout: SeenPayout, now: datetime, trace: Trace) -> None:
    """Move the transfers a payout carried, once it is paid, failed or cancelled, and say so once."""
    wallet = await store.payees.wallet_of_account(tx, payout.stripe_account)
    settled = await store.payouts.settle_once(tx, payout.stripe_payout_id, payout.status)
    if wallet is None or not settled:
        return
    fee = await store.payouts.fee_of(tx, payout.stripe_payout_id) or 0
    if payout.status == "paid":
        await store.payouts.map_to_transfers(tx, payout, payout.amount + fee, now)
        transfers = await store.payouts.transfers_in(tx, payout.stripe_payout_id)
    else:
        sentence = f"payout {payout.stripe_payout_id} came back: {payout.failure or payout.status}"
        transfers = await store.payouts.unmap(tx, payout.stripe_payout_id, sentence, now)
    await outbox.stage(tx, wire.messages.payout_messages(payout, wallet, fee, transfers, now, trace))
