"""Record what operations became: operation, attempt, transfer, journal request and events in one commit.

The same effects are applied whether the answer proved them, a lookup, or a webhook that overtook both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fleet import outbox
from fleet.database import Database, Tx
from fleet.envelope import Message, uuid7
from fleet.faults import fault_point
from services.payouts import metrics, store, wire
from services.payouts.domain.answers import ACCOUNT_REFUSALS
from services.payouts.domain.operations import Kind, Operation, State
from services.payouts.domain.orders import Money, NewOperation, instant_amount, order_instant_payout
from services.payouts.domain.outcomes import Outcome
from services.payouts.domain.rereads import InquiryKind, Question
from services.payouts.domain.trace import Trace
from services.payouts.domain.transfers import Move, Sent, TransferState
from services.payouts.steps import payments


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What follows an effect: Stripe's price of an instant payout, and when to look whether money arrived."""

    instant_fee_basis_points: int = 100
    instant_fee_minimum: int = 50
    unsettled_recheck: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A proven effect at Stripe: which operation's, and Stripe's object."""

    operation_id: UUID
    kind: Kind
    wallet: str
    transfer_id: UUID | None
    stripe_account: str | None
    trace: Trace
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


async def record(db: Database, outcomes: Sequence[Outcome], now: datetime, terms: Terms) -> int:
    """Write outcomes in one commit; how many were still ours to write."""
    async with db.transaction() as tx:
        # A transfer's place in payouts is reckoned under its payee's lock, here as in webhooks.
        touched = {o.operation.wallet for o in outcomes if o.effect is not None or _changes_payee(o)}
        await store.payees.lock(tx, touched)
        recorded = await store.operations.record(tx, outcomes)
        await fault_point("relay.mid_record", outcomes[0].operation.kind)
        ours = [o for o in outcomes if o.operation.id in recorded]
        await apply_effects(
            tx, [effect_of(o.operation, o.effect) for o in ours if o.effect is not None], now, terms
        )
        await _apply_endings(tx, [o for o in ours if o.effect is None], now)
    metrics.LEASES_LOST.inc(len(outcomes) - len(recorded))
    return len(recorded)


def _changes_payee(outcome: Outcome) -> bool:
    account = outcome.operation.kind is Kind.ACCOUNT
    return outcome.state in (State.PARKED, State.REFUSED) or (account and outcome.state is State.SUCCEEDED)


async def apply_effects(
    tx: Tx, effects: Sequence[Effect], now: datetime, terms: Terms, actor: str = "payouts"
) -> None:
    """Write what follows from proven effects: each kind's own rows, then the messages."""
    of_kind = {kind: [e for e in effects if e.kind is kind] for kind in Kind}
    if of_kind[Kind.TRANSFER]:
        await _transfers_sent(tx, of_kind[Kind.TRANSFER], now, terms, actor)
    if of_kind[Kind.REVERSAL]:
        await note_reversals(tx, [e.thing for e in of_kind[Kind.REVERSAL]], now)
    if of_kind[Kind.INSTANT_PAYOUT]:
        await _instant_payouts_made(tx, of_kind[Kind.INSTANT_PAYOUT], now)
    if of_kind[Kind.ACCOUNT]:
        await _accounts_made(tx, of_kind[Kind.ACCOUNT], now)


async def _transfers_sent(tx: Tx, effects: Sequence[Effect], now: datetime, terms: Terms, actor: str) -> None:
    sent = [
        Sent(
            transfer_id=e.transfer_id,
            stripe_transfer_id=e.thing["id"],
            stripe_account=wire.records.id_of(e.thing["destination"]),
            sent_at=wire.records.instant_of(e.thing),
        )
        for e in effects
        if e.transfer_id is not None
    ]
    rows = await store.transfers.complete(tx, sent, now, actor)
    await store.operations.insert(tx, [o for r in rows if (o := _instant_payout(r, terms))], now)
    if rows:
        accounts = {row.stripe_account for row in rows}
        await store.payouts.map_late_transfers(tx, sorted(accounts), min(row.sent_at for row in rows), now)
    questions = {
        row.stripe_account: Question(
            kind=InquiryKind.ACCOUNT,
            object_id=row.stripe_account,
            trace=store.json_rows.trace_of(row.trace),
            after=now + terms.unsettled_recheck,
        )
        for row in rows
    }
    await store.inquiries.ask(tx, list(questions.values()), now)
    await outbox.stage(tx, wire.messages.sent_messages(rows))


def _instant_payout(row: Any, terms: Terms) -> NewOperation | None:
    amount = instant_amount(row.amount, terms.instant_fee_basis_points, terms.instant_fee_minimum)
    if not row.instant or amount == 0:
        return None  # too little to pay the fee from: the ordinary payout brings it
    money = Money(
        transfer_id=row.id,
        wallet=row.wallet,
        amount=amount,
        currency=row.currency,
        trace=store.json_rows.trace_of(row.trace),
    )
    return order_instant_payout(uuid7(), money, stripe_account=row.stripe_account)


async def note_reversals(tx: Tx, listed: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Note what Stripe took back, whoever asked for it, once each."""
    fresh, transfers = await store.payouts.reverse(tx, wire.records.reversals_seen(listed), now)
    await outbox.stage(tx, wire.messages.reversal_messages(fresh, transfers))


async def _instant_payouts_made(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    for effect in effects:
        assert effect.stripe_account is not None
        payout = wire.records.payout_seen(effect.thing, effect.stripe_account, effect.operation_id)
        await store.payouts.see(tx, payout, now)
    questions = [
        Question(
            kind=InquiryKind.PAYOUT_FEE,
            object_id=e.thing["id"],
            stripe_account=e.stripe_account,
            trace=e.trace,
            after=now,
        )
        for e in effects
    ]
    await store.inquiries.ask(tx, questions, now)


async def _accounts_made(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    await store.payees.open_accounts(tx, {e.wallet: e.thing["id"] for e in effects})
    questions = [
        Question(kind=InquiryKind.ACCOUNT, object_id=e.thing["id"], trace=e.trace, after=now) for e in effects
    ]
    await store.inquiries.ask(tx, questions, now)
    await outbox.stage(tx, [wire.messages.onboarding_word(e.wallet, e.trace) for e in effects])
    await payments.pay(tx, [e.wallet for e in effects], now)


async def _apply_endings(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write what follows when an operation had no effect, or none that anybody can prove."""
    moves = [m for o in outcomes if (m := _transfer_move(o))]
    moved = await store.transfers.move(tx, moves, now)
    rows = {row.id: row for row in await store.transfers.facts(tx, moved)}
    refused = [rows[m.transfer_id] for m in moves if m.to is TransferState.REFUSED and m.transfer_id in rows]
    parked = [rows[m.transfer_id] for m in moves if m.to is TransferState.PARKED and m.transfer_id in rows]
    messages = wire.messages.refused_messages(refused) + wire.messages.parked_messages(parked)
    messages += await _balance_words(tx, outcomes)
    messages += [_other_word(o) for o in outcomes if o.operation.kind is not Kind.TRANSFER and _is_over(o)]
    await outbox.stage(tx, messages)
    await _doubt_accounts(tx, outcomes, now)
    stopped = {o.operation.wallet for o in outcomes if o.state in (State.PARKED, State.REFUSED)}
    if stopped:
        await payments.hold_unsent(tx, stopped, now)


_TRANSFER_STATES = {
    State.HELD: TransferState.HELD,
    State.REFUSED: TransferState.REFUSED,
    State.PARKED: TransferState.PARKED,
}


def _transfer_move(outcome: Outcome) -> Move | None:
    operation = outcome.operation
    to = _TRANSFER_STATES.get(outcome.state)
    if operation.kind is not Kind.TRANSFER or operation.transfer_id is None or to is None:
        return None
    return Move(transfer_id=operation.transfer_id, to=to, reason=outcome.reason, sentence=outcome.sentence)


def _is_over(outcome: Outcome) -> bool:
    return outcome.state in (State.REFUSED, State.PARKED)


async def _balance_words(tx: Tx, outcomes: Sequence[Outcome]) -> list[Message]:
    """Tell finance when money begins to be short, not with each transfer that finds it so."""
    short = [o for o in outcomes if o.state is State.HELD]
    if not short or len(await store.inquiries.held_for_balance(tx)) > len(short):
        return []
    messages = []
    for currency in sorted({o.operation.currency for o in short if o.operation.currency}):
        of_currency = [o.operation for o in short if o.operation.currency == currency]
        missing = sum(operation.amount or 0 for operation in of_currency)
        messages.append(wire.messages.balance_word(missing, currency, of_currency[0].trace))
    return messages


def _other_word(outcome: Outcome) -> Message:
    operation = outcome.operation
    said = f"{operation.kind} for {operation.wallet} is {outcome.state}: {outcome.sentence}"
    if operation.kind is Kind.INSTANT_PAYOUT and outcome.state is State.REFUSED:
        said += "; the ordinary payout brings the money"
    tell = wire.messages.word_to_operator if outcome.state is State.PARKED else wire.messages.word_to_finance
    return tell(f"{operation.kind}_{outcome.state}", str(operation.id), said, operation.trace)


async def _doubt_accounts(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Stripe refused because of the account: read the account again before believing in it."""
    doubted = {
        o.operation.wallet: o
        for o in outcomes
        if o.state is State.REFUSED and o.reason in ACCOUNT_REFUSALS and o.operation.kind is Kind.TRANSFER
    }
    if not doubted:
        return
    await store.payees.doubt(tx, {wallet: str(o.reason) for wallet, o in doubted.items()})
    questions = [
        Question(
            kind=InquiryKind.ACCOUNT,
            object_id=str(o.operation.params["destination"]),
            trace=o.operation.trace,
            after=now + timedelta(seconds=2.0**o.operation.generation),
        )
        for o in doubted.values()
    ]
    await store.inquiries.ask(tx, questions, now)
