"""Record what became of operations: operation, attempt, transfer, journal request and events in one commit.

The same rules apply whether an answer, a lookup or a webhook proved the effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Database, Tx
from fleet.faults import fault_point
from fleet.stripe_amounts import payable_out, to_stripe, whole_from_stripe
from services.payouts import metrics, store, wire
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.domain.operations import STOPPED, Kind, KnownOperation, Operation, State
from services.payouts.domain.orders import (
    MoneyToMove,
    NewOperation,
    instant_amount,
    order_instant_payout,
    within_instant_bounds,
)
from services.payouts.domain.outcomes import OperationOutcome
from services.payouts.domain.payouts import SeenReversal
from services.payouts.domain.refunds import SeenRefund
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.domain.retries import Occasion
from services.payouts.domain.transfers import ProvenTransfer, SentTransfer
from services.payouts.steps import charges, clawbacks, payments, refunds, retries
from services.payouts.stripe import endings, odd_objects


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPolicy:
    """What follows an effect: the price of an instant payout, and when the payee's account is read again."""

    instant_fee_basis_points: int
    instant_fee_minimum: int
    unsettled_recheck: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A proven effect at Stripe: which operation's, and Stripe's object."""

    operation_id: UUID
    kind: Kind
    wallet: str
    transfer_id: UUID | None
    stripe_account: str | None
    trace: Cause
    thing: Mapping[str, Any]


def effect_of(operation: Operation, thing: Mapping[str, Any]) -> Effect:
    return Effect(
        operation_id=operation.id,
        kind=operation.kind,
        wallet=operation.wallet,
        transfer_id=operation.transfer_id,
        stripe_account=operation.stripe_account,
        trace=operation.trace,
        thing=thing,
    )


async def record(
    db: Database, outcomes: Sequence[OperationOutcome], now: datetime, effect_policy: EffectPolicy
) -> int:
    """Write outcomes in one commit; how many of them still had their lease."""
    async with db.transaction() as tx:
        # Transfers are mapped to payouts under their payee's lock, here as in webhooks.
        touched = {o.operation.wallet for o in outcomes if o.effect is not None or _changes_payee(o)}
        await store.payees.lock(tx, touched)
        known = await endings.told_already(tx, outcomes)
        recorded = await store.operations.record(tx, outcomes)
        await fault_point("relay.mid_record", outcomes[0].operation.kind)
        ours = [o for o in outcomes if o.operation.id in recorded]
        await apply_effects(
            tx, [effect_of(o.operation, o.effect) for o in ours if o.effect is not None], now, effect_policy
        )
        ended = await _given_up(tx, ours, now)
        rest = [o for o in ours if o.effect is None and o.operation.id not in ended]
        await endings.apply(tx, rest, endings.news(rest, recorded, known), now)
        reversing = {o.operation.wallet for o in ours if o.operation.kind is Kind.REVERSAL}
        await clawbacks.note_returns(tx, reversing & touched, now)
    metrics.LEASES_LOST.inc(len(outcomes) - len(recorded))
    return len(recorded)


async def _given_up(tx: Tx, outcomes: Sequence[OperationOutcome], now: datetime) -> set[UUID]:
    """End what Stripe refused and was ordered for a request, which goes on without it; those operations."""
    refused = [o for o in outcomes if o.state is State.REFUSED]
    reversals, given_back = (
        {o.operation.id: str(o.sentence) for o in refused if o.operation.kind is kind}
        for kind in (Kind.REVERSAL, Kind.REFUND)
    )
    return {
        *await clawbacks.note_refused(tx, reversals, now),
        *await refunds.note_refused(tx, given_back, now),
        *await charges.note_refused(tx, [o for o in refused if o.operation.kind is Kind.CHARGE], now),
    }


def _changes_payee(outcome: OperationOutcome) -> bool:
    account = outcome.operation.kind is Kind.ACCOUNT
    return (
        endings.came_back(outcome)
        or outcome.state in STOPPED
        or (account and outcome.state is State.SUCCEEDED)
    )


async def apply_effects(
    tx: Tx, effects: Sequence[Effect], now: datetime, effect_policy: EffectPolicy, actor: str = "payouts"
) -> None:
    """Write what follows from proven effects: each kind's own rows, then the messages."""
    of_kind = {kind: [e for e in effects if e.kind is kind] for kind in Kind}
    if of_kind[Kind.TRANSFER]:
        await _transfers_sent(tx, of_kind[Kind.TRANSFER], now, effect_policy, actor)
    if of_kind[Kind.REVERSAL]:
        for effect in of_kind[Kind.REVERSAL]:
            await note_reversals(tx, [effect.thing], now, effect.trace)
    if of_kind[Kind.REFUND]:
        made, odd = _refunds_made(of_kind[Kind.REFUND])
        await odd_objects.keep(tx, odd, now, of_kind[Kind.REFUND][0].trace)
        await refunds.note_made(tx, made, now)
    if of_kind[Kind.CHARGE]:
        await charges.note_made(tx, _charges_made(of_kind[Kind.CHARGE], now), now)
    if of_kind[Kind.INSTANT_PAYOUT]:
        await _instant_payouts_made(tx, of_kind[Kind.INSTANT_PAYOUT], now)
    if of_kind[Kind.ACCOUNT]:
        await _accounts_made(tx, of_kind[Kind.ACCOUNT], now)


async def _transfers_sent(
    tx: Tx, effects: Sequence[Effect], now: datetime, effect_policy: EffectPolicy, actor: str
) -> None:
    sent = [
        ProvenTransfer(
            transfer_id=e.transfer_id,
            stripe_transfer_id=e.thing["id"],
            stripe_account=str(wire.fields.id_of(e.thing["destination"])),
            sent_at=wire.stripe_objects.made_at(e.thing, now),
        )
        for e in effects
        if e.transfer_id is not None
    ]
    completed = await store.transfers.complete(tx, sent, now, actor)
    await store.operations.insert(tx, [o for t in completed if (o := _instant_payout(t, effect_policy))], now)
    if completed:
        accounts = {transfer.stripe_account for transfer in completed}
        earliest = min(transfer.sent_at for transfer in completed)
        await store.payout_parts.map_late_transfers(tx, sorted(accounts), earliest, now)
    requests = [
        RereadRequest(
            kind=RereadKind.ACCOUNT,
            object_id=transfer.stripe_account,
            trace=transfer.trace,
            after=now + effect_policy.unsettled_recheck,
        )
        for transfer in completed
    ]
    await store.rereads.request(tx, requests, now)
    await outbox.stage(tx, wire.messages.sent_messages(completed))


def _instant_payout(transfer: SentTransfer, effect_policy: EffectPolicy) -> NewOperation | None:
    """The payout that brings a transfer to the bank at once; None when the payee waits for the ordinary one.

    That is also so when the transfer is too small to pay Stripe's fee from, or for an instant payout at all;
    of one that is too large, the rest waits for the ordinary payout.
    """
    currency = transfer.currency
    # Stripe counts its fee in its own units of the currency.
    most = instant_amount(
        to_stripe(transfer.amount, currency),
        effect_policy.instant_fee_basis_points,
        to_stripe(effect_policy.instant_fee_minimum, currency),
    )
    amount = payable_out(whole_from_stripe(within_instant_bounds(most), currency), currency)
    if not transfer.instant or amount == 0:
        return None
    money = MoneyToMove(
        transfer_id=transfer.id,
        wallet=transfer.wallet,
        amount=amount,
        currency=transfer.currency,
        trace=transfer.trace,
    )
    return order_instant_payout(money, stripe_account=transfer.stripe_account)


async def note_reversals(tx: Tx, listed: Any, now: datetime, trace: Cause) -> None:
    """Note what Stripe took back, whoever asked for it, once each; one that is odd keeps no other back.

    One that names an operation of ours proves it. Payees are locked here, if they were not before.
    """
    seen, odd = wire.stripe_objects.read_each("reversal", listed, wire.stripe_objects.seen_reversal)
    wallets = await store.payouts.wallets_of_transfers(tx, [r.stripe_transfer_id for r in seen])
    await store.payees.lock(tx, wallets)
    unparked = await _prove_reversals(tx, seen, now)
    fresh, transfers, unfit = await store.payouts.reverse(tx, seen, now)
    await store.payout_parts.map_late_reversals(tx, {r.transfer_id for r in fresh}, now)
    odd += [wire.stripe_objects.odd_reversal(reversal, why) for reversal, why in unfit]
    await odd_objects.keep(tx, odd, now, trace)
    await store.odd_objects.forget(tx, "reversal", [r.stripe_reversal_id for r in fresh])
    await outbox.stage(tx, wire.messages.reversal_messages(fresh, transfers))
    await clawbacks.note_returns(tx, wallets, now)
    if unparked:
        await payments.pay(tx, unparked, now)


async def _prove_reversals(tx: Tx, seen: Sequence[SeenReversal], now: datetime) -> set[str]:
    """Complete reversals of ours that Stripe lists as they were decided; payees of those that were parked."""
    named = {r.operation_id: r for r in seen if r.operation_id is not None}
    known = await store.operations.lock(tx, list(named))
    proven = {i: o for i, o in known.items() if _is_proven(o, named[i])}
    await store.operations.prove(tx, {i: named[i].stripe_reversal_id for i in proven}, now)
    return {o.wallet for o in proven.values() if o.state is State.PARKED}


def _is_proven(operation: KnownOperation, seen: SeenReversal) -> bool:
    decided = (operation.kind, operation.parent_id, operation.amount, operation.currency)
    shown = (Kind.REVERSAL, seen.stripe_transfer_id, seen.amount, seen.currency)
    return decided == shown and operation.state not in (State.SUCCEEDED, State.CANCELLED)


async def _instant_payouts_made(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    for effect in effects:
        assert effect.stripe_account is not None
        try:
            payout = wire.stripe_objects.seen_payout(effect.thing, effect.stripe_account, effect.operation_id)
        except OddField as problem:
            odd = wire.fields.odd_object("payout", effect.thing, problem, effect.stripe_account)
            await odd_objects.keep(tx, [odd], now, effect.trace)
        else:
            await store.payouts.note(tx, payout, now)
    requests = [
        RereadRequest(
            kind=RereadKind.PAYOUT_FEE,
            object_id=e.thing["id"],
            stripe_account=e.stripe_account,
            trace=e.trace,
            after=now,
        )
        for e in effects
    ]
    await store.rereads.request(tx, requests, now)


def _charges_made(effects: Sequence[Effect], now: datetime) -> dict[UUID, tuple[Mapping[str, Any], datetime]]:
    """The payment intents of charges, with when each was made, by operation."""
    return {e.operation_id: (e.thing, wire.stripe_objects.made_at(e.thing, now)) for e in effects}


def _refunds_made(effects: Sequence[Effect]) -> tuple[dict[UUID, SeenRefund | None], list[OddObject]]:
    """What was refunded, by operation; None: it cannot be read, and Stripe is asked again."""
    made: dict[UUID, SeenRefund | None] = {}
    odd: list[OddObject] = []
    for effect in effects:
        try:
            made[effect.operation_id] = wire.stripe_objects.seen_refund(effect.thing)
        except OddField as problem:
            made[effect.operation_id] = None
            odd.append(wire.fields.odd_object("refund", effect.thing, problem))
    return made, odd


async def _accounts_made(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    await store.payees.open_accounts(tx, {e.wallet: e.thing["id"] for e in effects})
    requests = [
        RereadRequest(kind=RereadKind.ACCOUNT, object_id=e.thing["id"], trace=e.trace, after=now)
        for e in effects
    ]
    await store.rereads.request(tx, requests, now)
    await outbox.stage(tx, [wire.notifications.onboarding_notification(e.wallet, e.trace) for e in effects])
    await payments.pay(tx, [e.wallet for e in effects], now)
    await retries.hasten(tx, Occasion.ANOTHER_MADE, now)
