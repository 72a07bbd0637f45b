"""What follows when Stripe refused an operation, or nothing proves what became of it: said, told once, kept.

It is written in the transaction that records the answer, so no ending is recorded and not told.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import Message
from services.payouts import store, wire
from services.payouts.domain.answers import ACCOUNT_REFUSALS
from services.payouts.domain.operations import STOPPED, Kind, State
from services.payouts.domain.outcomes import OperationOutcome
from services.payouts.domain.refusals import Whose, advice
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.steps import payments

_log = logging.getLogger(__name__)


async def told_already(tx: Tx, outcomes: Sequence[OperationOutcome]) -> set[str]:
    """Of the causes that are everybody's: those that some operation stands with, and people heard of."""
    return await store.stopped.told_already(tx, {str(o.told) for o in outcomes if _is_everybodys(o)})


def news(
    outcomes: Sequence[OperationOutcome], recorded: Mapping[UUID, bool], known: Collection[str]
) -> set[UUID]:
    """Operations whose ending people are told: for another cause than before; what is everybody's once.

    recorded: whether an operation stopped for another cause than it did before; known: as `told_already`.
    """
    told, seen = set[UUID](), set(known)
    for outcome in outcomes:
        if outcome.told is not None and recorded[outcome.operation.id] and outcome.told not in seen:
            told.add(outcome.operation.id)
            if _is_everybodys(outcome):
                seen.add(outcome.told)
    return told


def _is_everybodys(outcome: OperationOutcome) -> bool:
    """Whether no account can be made for this cause. Of money that does not move each payee hears."""
    if outcome.operation.kind is not Kind.ACCOUNT or outcome.state is not State.REFUSED:
        return False
    known = advice(outcome.operation.kind, str(outcome.reason), str(outcome.sentence))
    return known.whose is not Whose.PAYEE


async def apply(tx: Tx, outcomes: Sequence[OperationOutcome], told: Collection[UUID], now: datetime) -> None:
    """Write what follows from operations that had no effect, or none that is proven; told: as `news`."""
    if not outcomes:
        return
    stopped = [o for o in outcomes if o.state in STOPPED]
    messages = await _move_transfers(tx, outcomes, told, now)
    messages += await _balance_notifications(tx, outcomes)
    messages += [
        wire.notifications.stopped_notification(o.operation, o.state, str(o.reason), str(o.sentence))
        for o in stopped
        if o.operation.kind is not Kind.TRANSFER and o.operation.id in told
    ]
    await outbox.stage(tx, messages)
    steps = [(o.operation.id, str(o.state), o.reason, str(o.sentence)) for o in stopped]
    await store.stopped.note(tx, steps, now)
    for outcome in stopped:
        _say(outcome)
    await _doubt_accounts(tx, outcomes, now)
    await payments.hold_unsent(tx, {o.operation.wallet for o in stopped}, now)
    # What waits for an account that is not there, or for a parked operation, gets Stripe's sentence.
    waiting = [o for o in stopped if o.state is State.PARKED or o.operation.kind is Kind.ACCOUNT]
    if waiting:
        await payments.pay(tx, {o.operation.wallet for o in waiting}, now)
    await payments.set_off(tx, {o.operation.wallet for o in outcomes if came_back(o)}, now)


def _say(outcome: OperationOutcome) -> None:
    """Log an ending without Stripe's sentence, which may quote what a person entered."""
    level = logging.ERROR if outcome.state is State.PARKED else logging.WARNING
    _log.log(
        level,
        "an operation at Stripe is stopped",
        extra={
            "kind": str(outcome.operation.kind),
            "state": str(outcome.state),
            "reason": outcome.reason,
            "operation_id": str(outcome.operation.id),
            "http_status": outcome.answer.status,
            "request_id": outcome.answer.request_id,
        },
    )


async def _move_transfers(
    tx: Tx, outcomes: Sequence[OperationOutcome], told: Collection[UUID], now: datetime
) -> list[Message]:
    moves = [m for o in outcomes if (m := _transfer_move(o))]
    moved = await store.transfers.move(tx, moves, now)
    stopped = {transfer.id: transfer for transfer in await store.transfers.stopped(tx, moved)}
    refused = [stopped[i] for m in moves if m.to is TransferState.REFUSED and (i := m.transfer_id) in stopped]
    parked = [stopped[i] for m in moves if m.to is TransferState.PARKED and (i := m.transfer_id) in stopped]
    heard = {o.operation.transfer_id for o in outcomes if o.operation.id in told}
    return [
        *wire.messages.refused_messages(refused, [t for t in refused if t.id in heard]),
        *wire.messages.parked_messages(parked, [t for t in parked if t.id in heard]),
    ]


_TRANSFER_STATES = {
    State.HELD: TransferState.HELD,
    State.REFUSED: TransferState.REFUSED,
    State.PARKED: TransferState.PARKED,
}


def _transfer_move(outcome: OperationOutcome) -> Move | None:
    operation = outcome.operation
    to = _TRANSFER_STATES.get(outcome.state)
    if to is None and came_back(outcome):
        to = TransferState.PENDING
    if operation.kind is not Kind.TRANSFER or operation.transfer_id is None or to is None:
        return None
    return Move(transfer_id=operation.transfer_id, to=to, reason=outcome.reason, sentence=outcome.sentence)


def came_back(outcome: OperationOutcome) -> bool:
    """Whether it is proven that nothing was sent, and a later request will send it unless that is stopped."""
    return outcome.state is State.HELD or outcome.generation != outcome.operation.generation


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
