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
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.stripe_amounts import payable_out, to_stripe, whole_from_stripe
from services.payouts import metrics, store, wire
from services.payouts.domain.answers import ACCOUNT_REFUSALS
from services.payouts.domain.odd_objects import OddField
from services.payouts.domain.operations import Kind, Operation, State
from services.payouts.domain.orders import (
    MoneyToMove,
    NewOperation,
    instant_amount,
    order_instant_payout,
    within_instant_bounds,
)
from services.payouts.domain.outcomes import OperationOutcome
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.domain.transfers import Move, ProvenTransfer, SentTransfer, TransferState
from services.payouts.steps import payments
from services.payouts.stripe import odd_objects


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
        recorded = await store.operations.record(tx, outcomes)
        await fault_point("relay.mid_record", outcomes[0].operation.kind)
        ours = [o for o in outcomes if o.operation.id in recorded]
        await apply_effects(
            tx, [effect_of(o.operation, o.effect) for o in ours if o.effect is not None], now, effect_policy
        )
        await _apply_endings(tx, [o for o in ours if o.effect is None], now)
    metrics.LEASES_LOST.inc(len(outcomes) - len(recorded))
    return len(recorded)


def _changes_payee(outcome: OperationOutcome) -> bool:
    account = outcome.operation.kind is Kind.ACCOUNT
    return (
        _came_back(outcome)
        or outcome.state in (State.PARKED, State.REFUSED)
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
        await store.payouts.map_late_transfers(tx, sorted(accounts), earliest, now)
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
    """Note what Stripe took back, whoever asked for it, once each; one that is odd keeps no other back."""
    seen, odd = wire.stripe_objects.read_each("reversal", listed, wire.stripe_objects.seen_reversal)
    fresh, transfers, unfit = await store.payouts.reverse(tx, seen, now)
    odd += [wire.stripe_objects.odd_reversal(reversal, why) for reversal, why in unfit]
    await odd_objects.keep(tx, odd, now, trace)
    await store.odd_objects.forget(tx, "reversal", [r.stripe_reversal_id for r in fresh])
    await outbox.stage(tx, wire.messages.reversal_messages(fresh, transfers))


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


async def _accounts_made(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    await store.payees.open_accounts(tx, {e.wallet: e.thing["id"] for e in effects})
    requests = [
        RereadRequest(kind=RereadKind.ACCOUNT, object_id=e.thing["id"], trace=e.trace, after=now)
        for e in effects
    ]
    await store.rereads.request(tx, requests, now)
    await outbox.stage(tx, [wire.notifications.onboarding_notification(e.wallet, e.trace) for e in effects])
    await payments.pay(tx, [e.wallet for e in effects], now)


async def _apply_endings(tx: Tx, outcomes: Sequence[OperationOutcome], now: datetime) -> None:
    """Write what follows from operations that had no effect, or none that is proven."""
    moves = [m for o in outcomes if (m := _transfer_move(o))]
    moved = await store.transfers.move(tx, moves, now)
    stopped = {transfer.id: transfer for transfer in await store.transfers.stopped(tx, moved)}
    refused = [stopped[i] for m in moves if m.to is TransferState.REFUSED and (i := m.transfer_id) in stopped]
    parked = [stopped[i] for m in moves if m.to is TransferState.PARKED and (i := m.transfer_id) in stopped]
    messages = wire.messages.refused_messages(refused) + wire.messages.parked_messages(parked)
    messages += await _balance_notifications(tx, outcomes)
    messages += [
        _ending_notification(o) for o in outcomes if o.operation.kind is not Kind.TRANSFER and _is_over(o)
    ]
    await outbox.stage(tx, messages)
    await _doubt_accounts(tx, outcomes, now)
    wallets = {o.operation.wallet for o in outcomes if _is_over(o)}
    if wallets:
        await payments.hold_unsent(tx, wallets, now)
    await payments.set_off(tx, {o.operation.wallet for o in outcomes if _came_back(o)}, now)


_TRANSFER_STATES = {
    State.HELD: TransferState.HELD,
    State.REFUSED: TransferState.REFUSED,
    State.PARKED: TransferState.PARKED,
}


def _transfer_move(outcome: OperationOutcome) -> Move | None:
    operation = outcome.operation
    to = _TRANSFER_STATES.get(outcome.state)
    if operation.kind is not Kind.TRANSFER or operation.transfer_id is None or to is None:
        return None
    return Move(transfer_id=operation.transfer_id, to=to, reason=outcome.reason, sentence=outcome.sentence)


def _came_back(outcome: OperationOutcome) -> bool:
    """Whether it is proven that nothing was sent, and a later request will send it unless that is stopped."""
    return outcome.state is State.HELD or outcome.generation != outcome.operation.generation


def _is_over(outcome: OperationOutcome) -> bool:
    return outcome.state in (State.REFUSED, State.PARKED)


async def _balance_notifications(tx: Tx, outcomes: Sequence[OperationOutcome]) -> list[Message]:
    """Tell finance when the balance begins to be short, not with each transfer that it does not cover."""
    short = [o for o in outcomes if o.state is State.HELD]
    if not short or len(await store.balance.waiting(tx)) > len(short):
        return []
    messages = []
    for currency in sorted({o.operation.currency for o in short if o.operation.currency}):
        of_currency = [o.operation for o in short if o.operation.currency == currency]
        missing = sum(operation.amount or 0 for operation in of_currency)
        messages.append(wire.notifications.balance_notification(missing, currency, of_currency[0].trace))
    return messages


def _ending_notification(outcome: OperationOutcome) -> Message:
    operation = outcome.operation
    sentence = f"{operation.kind} for {operation.wallet} is {outcome.state}: {outcome.sentence}"
    if operation.kind is Kind.INSTANT_PAYOUT and outcome.state is State.REFUSED:
        sentence += "; the ordinary payout brings the money"
    notify = (
        wire.notifications.operator_notification
        if outcome.state is State.PARKED
        else wire.notifications.finance_notification
    )
    return notify(f"{operation.kind}_{outcome.state}", str(operation.id), sentence, operation.trace)


async def _doubt_accounts(tx: Tx, outcomes: Sequence[OperationOutcome], now: datetime) -> None:
    """Take payees for not ready whose account Stripe refused, until the account was read again."""
    doubted = {
        o.operation.wallet: o
        for o in outcomes
        if o.state is State.REFUSED and o.reason in ACCOUNT_REFUSALS and o.operation.kind is Kind.TRANSFER
    }
    if not doubted:
        return
    await store.payees.doubt(tx, {wallet: str(o.reason) for wallet, o in doubted.items()})
    requests = [
        RereadRequest(
            kind=RereadKind.ACCOUNT,
            object_id=str(o.operation.params["destination"]),
            trace=o.operation.trace,
            after=now + timedelta(seconds=2.0**o.operation.generation),
        )
        for o in doubted.values()
    ]
    await store.rereads.request(tx, requests, now)
