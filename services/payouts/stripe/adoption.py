"""Before anything is sent: compare what Stripe made with the database, and adopt what it does not know.

A database that was restored from a backup has forgotten what was paid after it. Stripe has not: each transfer
names its operation and what it paid. So each process lists the transfers since the youngest that the database
knows, and all accounts, before it handles a record or its relay claims anything: what was decided before
could be another transfer than the one that was sent. What is unknown is kept (`found_effect`), its payables
are paid by nothing else, and it is adopted as soon as they are read again (decision 0150).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Database, Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from fleet.outages import Blame, blame
from services.payouts import metrics, store, wire
from services.payouts.domain.accounts import AccountsApi
from services.payouts.domain.adoption import (
    FoundEffect,
    Judged,
    Regrouping,
    Standing,
    judge_found_transfer,
)
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.operations import Kind, KnownOperation, State, difference
from services.payouts.domain.orders import NewOperation
from services.payouts.domain.payments import NewTransfer
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.steps import payments
from services.payouts.stripe import effects, odd_objects
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.effects import Effect, EffectPolicy
from services.payouts.stripe.pacer import Pacer

# A backup may lack transfers that were under way when it was made: older than its youngest one by minutes.
OVERLAP: Final = timedelta(hours=1)

_log = logging.getLogger(__name__)


class Adoption:
    """Compares once when the process starts, then adopts what was found; its loop runs `step`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pacer: Pacer,
        clock: Callable[[], datetime],
        *,
        effect_policy: EffectPolicy,
        probe_after: timedelta,
        api: AccountsApi = AccountsApi.V2,
    ) -> None:
        self._db = db
        self._client = client
        self._pacer = pacer
        self._clock = clock
        self._effect_policy = effect_policy
        self._probe_after = probe_after
        self._api = api
        self._problem: str | None = "Stripe has not been asked yet"

    @property
    def compared(self) -> bool:
        """Whether this process may decide what is paid, and send it."""
        return self._problem is None

    async def check(self) -> str | None:
        """Health: why nothing is sent yet, None when it may be."""
        return self._problem and f"comparing what Stripe made with the database: {self._problem}"

    async def step(self) -> int:
        """Compare, if that is not done; then adopt what can be."""
        if not self.compared and (problem := await self._compare()):
            self._problem = problem
            return 0  # what differs is balanced only when all is known
        async with self._db.autocommit() as tx:
            waiting = await store.adoption.waiting(tx)
        for stripe_id, wallet in waiting:
            await self._adopt(stripe_id, wallet)
        self._problem = None  # only now: what is decided next must meet operations that are adopted
        metrics.FOUND_EFFECTS.set(len(waiting))
        return 0

    async def _adopt(self, stripe_id: str, wallet: str) -> None:
        """Adopt one effect; one that nobody foresaw keeps no other waiting."""
        try:
            async with self._db.transaction() as tx:
                await adopt(tx, stripe_id, wallet, self._clock(), self._effect_policy)
        except Exception as error:
            if blame(error) is not Blame.RECORD:
                raise
            metrics.INVARIANT_BREACHES.labels("outcome_refused").inc()
            _log.exception("a found effect is not adopted", extra={"stripe_id": stripe_id})

    async def _compare(self) -> str | None:
        """List what Stripe made, and keep what the database does not know; the problem, None when done."""
        async with self._db.transaction() as tx:
            latest = await store.adoption.latest_transfer_at(tx)
        since = None if latest is None else latest - OVERLAP
        for ask in self._lists(since):
            after: str | None = None
            while True:
                await self._pacer.turn()
                answer = await ask(after)
                if ask == self._client.v2_accounts_page and answer.status in (400, 403, 404):
                    # A key or platform that has no API v2 made no account with it.
                    _log.warning("Stripe's API v2 lists no accounts to us", extra={"answer": answer.sentence})
                    break
                if classify(answer) is not StripeVerdict.DONE:
                    return await self._refused(answer)
                await self._keep(answer.body["data"])
                after = _following(answer.body)
                if after is None:
                    break
        return None

    def _lists(self, since: datetime | None) -> list[Callable[[str | None], Awaitable[StripeAnswer]]]:
        """What is listed. Stripe does not promise that v1's list has the accounts that v2 made (0190)."""
        client = self._client
        v2 = [client.v2_accounts_page] if self._api is AccountsApi.V2 else []
        return [client.accounts_page, *v2, lambda after: client.transfers_page(since, after)]

    async def _refused(self, answer: StripeAnswer) -> str:
        """A refused key stops the relay, as for any other call. The list is read again in any case."""
        if classify(answer) is StripeVerdict.MISCONFIGURED:
            now = self._clock()
            async with self._db.transaction() as tx:
                await store.relay_stop.stop(tx, answer.sentence, now, now + self._probe_after)
        if classify(answer) is StripeVerdict.SLOW_DOWN:
            self._pacer.slow_down()
        return answer.sentence

    async def _keep(self, things: Sequence[Any]) -> None:
        read, odd = wire.stripe_objects.read_each("effect", things, wire.stripe_objects.found_effect)
        async with self._db.transaction() as tx:
            await odd_objects.keep(tx, odd, self._clock(), first_cause())
            await keep(tx, [effect for effect in read if effect is not None], self._clock())
        await fault_point("adoption.listed")


def _following(page: Mapping[str, Any]) -> str | None:
    """Where the next page begins: after an object in v1's lists, at a path in v2's; None on the last."""
    if "next_page_url" in page:
        path: str | None = page["next_page_url"]
        return path
    things = page["data"]
    return str(things[-1]["id"]) if things and page.get("has_more") else None


async def keep(tx: Tx, found: Sequence[FoundEffect], now: datetime) -> None:
    """Keep effects that this database does not know, for `adopt`."""
    kept = await store.adoption.keep_unknown(tx, found, now)
    if kept:
        _log.warning(
            "Stripe made what is not recorded here: answers were lost, or the database was restored",
            extra={"effects": len(kept), "first": kept[0]},
        )


async def adopt(tx: Tx, stripe_id: str, wallet: str, now: datetime, effect_policy: EffectPolicy) -> None:
    """Write a found effect as what it is, or note what it waits for."""
    if not await store.payees.lock(tx, [wallet]):
        return  # what names the payee is not read yet
    found = await store.adoption.lock(tx, stripe_id)
    if found is None:
        return
    judge = _adopt_account if found.kind is Kind.ACCOUNT else _adopt_transfer
    standing, sentence = await judge(tx, found, now, effect_policy)
    adopted = standing is Standing.ADOPTED
    news = await store.adoption.note(tx, found, standing, sentence, now)
    await fault_point("adoption.adopted")
    if news:
        _log.info(
            "found at Stripe", extra={"stripe_id": stripe_id, "standing": standing, "sentence": sentence}
        )
    if news and standing is Standing.DOUBTFUL:
        notification = wire.notifications.operator_notification(
            "found_effect", stripe_id, sentence, first_cause()
        )
        await outbox.stage(tx, [notification])
    if adopted:
        await payments.pay(tx, [wallet], now)


async def _adopt_account(tx: Tx, found: FoundEffect, now: datetime, effect_policy: EffectPolicy) -> Judged:
    open_operations = await store.adoption.open_account_operations(tx, found.wallet)
    await store.operations.prove(tx, dict.fromkeys(open_operations[:1], found.stripe_id), now)
    await effects.apply_effects(tx, [_effect(found, first_cause())], now, effect_policy, actor="stripe")
    return Standing.ADOPTED, f"{found.stripe_id} is an account of the payee"


async def _adopt_transfer(tx: Tx, found: FoundEffect, now: datetime, effect_policy: EffectPolicy) -> Judged:
    known = (await store.operations.lock(tx, [found.operation_id])).get(found.operation_id)
    if known is not None:
        return await _prove(tx, known, found, now, effect_policy)
    how = judge_found_transfer(found, await store.adoption.paid_by(tx, found, now))
    if not isinstance(how, Regrouping):
        return how
    how = replace(how, there=await store.adoption.is_there(tx, found))
    trace = how.trace or first_cause()
    await _regroup(tx, found, how, trace, now)
    await _complete(tx, found, trace, now, effect_policy)
    return Standing.ADOPTED, f"adopted as transfer {found.transfer_id}"


async def _prove(
    tx: Tx, known: KnownOperation, found: FoundEffect, now: datetime, effect_policy: EffectPolicy
) -> Judged:
    if known.stripe_id == found.stripe_id:
        return Standing.ADOPTED, "its operation has succeeded"
    if known.state in (State.SUCCEEDED, State.CANCELLED):
        state = f"operation {known.id} is {known.state} ({known.stripe_id}): this is a second effect"
        return Standing.DOUBTFUL, state
    if unlike := difference(known, found.thing):
        return Standing.DOUBTFUL, unlike
    await _complete(tx, found, known.trace, now, effect_policy)
    return Standing.ADOPTED, f"completes operation {known.id}"


async def _regroup(tx: Tx, found: FoundEffect, how: Regrouping, trace: Cause, now: datetime) -> None:
    """Insert the found transfer with its payables, taken out of unsent transfers that held them."""
    assert found.transfer_id is not None
    assert found.amount is not None
    assert found.currency is not None
    sentence = f"Stripe paid it before the restore: {found.stripe_id}"
    payables = how.payables
    if how.dissolved:
        await store.adoption.dissolve(tx, how.dissolved, sentence, now)
        for to in (TransferState.HELD, TransferState.CANCELLED):  # what was being sent is held first
            moves = [Move(transfer_id=i, to=to, reason="adopted", sentence=sentence) for i in how.dissolved]
            await store.transfers.move(tx, moves, now)
    if how.difference:
        payables += (await store.adoption.balance_difference(tx, found, how, trace, now),)
    transfer = NewTransfer(
        id=found.transfer_id,
        wallet=found.wallet,
        currency=found.currency,
        amount=found.amount,
        cause=found.cause,
        payables=payables,
        sources=found.sources or (),
        trace=trace,
    )
    if how.there:
        await store.adoption.take_over(tx, transfer)
    else:
        await store.transfers.insert(tx, [transfer], now)
    await store.operations.insert(tx, [_operation(found, transfer)], now)


def _operation(found: FoundEffect, transfer: NewTransfer) -> NewOperation:
    """The operation that made a found transfer, with the parameters it must have had."""
    destination = str(wire.fields.id_of(found.thing["destination"]))
    return NewOperation(
        id=found.operation_id,
        kind=Kind.TRANSFER,
        wallet=found.wallet,
        cause=str(transfer.id),
        params={
            "amount": transfer.amount,
            "currency": transfer.currency.lower(),
            "destination": destination,
            "metadata": found.thing["metadata"],
        },
        trace=transfer.trace,
        transfer_id=transfer.id,
        amount=transfer.amount,
        currency=transfer.currency,
    )


async def _complete(
    tx: Tx, found: FoundEffect, trace: Cause, now: datetime, effect_policy: EffectPolicy
) -> None:
    proven = await store.operations.prove(tx, {found.operation_id: found.stripe_id}, now)
    assert found.operation_id in proven
    await effects.apply_effects(tx, [_effect(found, trace)], now, effect_policy, actor="stripe")
    await store.adoption.look_up_instant_payout(tx, found)


def _effect(found: FoundEffect, trace: Cause) -> Effect:
    return Effect(
        operation_id=found.operation_id,
        kind=found.kind,
        wallet=found.wallet,
        transfer_id=found.transfer_id,
        stripe_account=None,
        trace=trace,
        thing=found.thing,
    )
