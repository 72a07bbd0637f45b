"""What a person may decide about one transfer: release it, send it again, give it up. Each with who and why.

Nothing here calls Stripe, and nothing is sent again blind: a parked operation is looked up once more first,
unless the person vouches to have looked at Stripe. Lock order as everywhere: payee, operation, transfer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts import store
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.payees import payee_hold
from services.payouts.domain.transfers import SENTENCES, HoldReason, LockedTransfer, Move, TransferState
from services.payouts.steps import payments

RELEASABLE = frozenset({HoldReason.HOLD_PERIOD, HoldReason.ACCOUNT_CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a decision: `done`, and a sentence for the person."""

    done: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who decides, and why; both stay in the transfer's history."""

    who: str
    why: str

    @property
    def actor(self) -> str:
        return f"operator:{self.who}"


async def release(tx: Tx, transfer_id: UUID, person: Person, now: datetime) -> Decided:
    """Send a held transfer although its hold period runs, or its payee's account changed."""
    transfer = await _locked(tx, transfer_id)
    if transfer is None:
        return _unknown(transfer_id)
    if transfer.state != TransferState.HELD or transfer.reason not in RELEASABLE:
        return Decided(done=False, sentence=_cannot("released", transfer))
    held = Move(
        transfer_id=transfer_id,
        to=TransferState.HELD,
        reason=transfer.reason,
        sentence=transfer.sentence,
    )
    await store.transfers.move(tx, [held], now, person.actor, note=f"released: {person.why}")
    await store.transfers.waive(tx, transfer_id)
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer_id, "released")


async def retry(
    tx: Tx, transfer_id: UUID, person: Person, now: datetime, *, checked: bool = False
) -> Decided:
    """Send a refused transfer under a new generation; look a parked one up again.

    `checked`: the person looked at Stripe and vouches that a parked transfer was not made.
    """
    transfer = await _locked(tx, transfer_id)
    if transfer is None:
        return _unknown(transfer_id)
    if transfer.state == TransferState.REFUSED:
        return await _retry_refused(tx, transfer, person, now)
    if transfer.state == TransferState.PARKED:
        return await _retry_parked(tx, transfer, person, now, checked=checked)
    return Decided(done=False, sentence=_cannot("retried", transfer))


async def _retry_refused(tx: Tx, transfer: LockedTransfer, person: Person, now: datetime) -> Decided:
    [payee] = await store.payees.lock(tx, [transfer.wallet])
    hold = payee_hold(payee)
    if hold is not None:
        return Decided(done=False, sentence=f"{transfer.wallet} cannot be paid now: {SENTENCES[hold]}")
    await store.operations.start_new_generation(tx, [_operation_of(transfer)], [State.REFUSED], now)
    return await _go_on(tx, transfer, person, now, f"retried: {person.why}")


async def _retry_parked(
    tx: Tx, transfer: LockedTransfer, person: Person, now: datetime, *, checked: bool
) -> Decided:
    if checked:
        await store.operations.start_new_generation(tx, [_operation_of(transfer)], [State.PARKED], now)
        note = f"retried, vouched that Stripe has nothing: {person.why}"
    else:
        await store.operations.look_up_again(tx, _operation_of(transfer), now)
        note = f"looked up again: {person.why}"
    return await _go_on(tx, transfer, person, now, note)


async def _go_on(tx: Tx, transfer: LockedTransfer, person: Person, now: datetime, note: str) -> Decided:
    pending = Move(transfer_id=transfer.id, to=TransferState.PENDING)
    await store.transfers.move(tx, [pending], now, person.actor, note=note)
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer.id, note.partition(":")[0])


async def unpark(tx: Tx, wallet: str, person: Person, now: datetime, *, checked: bool = False) -> Decided:
    """Take the operation that blocks a payee out of its parking, whatever its kind, as `retry` does."""
    await store.payees.lock(tx, [wallet])
    parked = await store.operations.lock_parked(tx, wallet)
    if parked is None:
        return Decided(done=False, sentence=f"nothing of {wallet} is parked")
    if parked.kind is Kind.TRANSFER and parked.transfer_id is not None:
        return await retry(tx, parked.transfer_id, person, now, checked=checked)
    if checked:
        await store.operations.start_new_generation(tx, [parked.id], [State.PARKED], now)
    else:
        await store.operations.look_up_again(tx, parked.id, now)
    await store.operations.note_decision(tx, parked.id, f"{person.actor}: {person.why}")
    await payments.pay(tx, [wallet], now)
    verb = "is sent under a new key" if checked else "is looked up again"
    return Decided(done=True, sentence=f"{parked.kind} {parked.id} of {wallet} {verb}")


async def cancel(
    tx: Tx, transfer_id: UUID, person: Person, now: datetime, *, checked: bool = False
) -> Decided:
    """Give up a transfer that was not sent. Its payables stay in it: the debt is settled by an adjustment."""
    transfer = await _locked(tx, transfer_id)
    if transfer is None:
        return _unknown(transfer_id)
    sentence = f"cancelled by {person.who}: {person.why}"
    gone = await store.operations.cancel(tx, [transfer_id], sentence, now, vouched=checked)
    if not gone and not (transfer.state == TransferState.HELD and transfer.operation_id is None):
        return Decided(done=False, sentence=_cannot("cancelled", transfer))
    move = Move(transfer_id=transfer_id, to=TransferState.CANCELLED, reason="cancelled", sentence=sentence)
    await store.transfers.move(tx, [move], now, person.actor)
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer_id, "cancelled")


async def _locked(tx: Tx, transfer_id: UUID) -> LockedTransfer | None:
    wallet = await store.transfers.wallet_of(tx, transfer_id)
    if wallet is None:
        return None
    await store.payees.lock(tx, [wallet])
    return await store.transfers.lock(tx, transfer_id)


def _operation_of(transfer: LockedTransfer) -> UUID:
    assert transfer.operation_id is not None, "what was refused or parked has an operation"
    return transfer.operation_id


async def _became(tx: Tx, transfer_id: UUID, verb: str) -> Decided:
    transfer = await store.transfers.lock(tx, transfer_id)
    why = f" ({transfer.sentence})" if transfer.sentence else ""
    return Decided(done=True, sentence=f"transfer {transfer_id} {verb}: it is {transfer.state}{why}")


def _unknown(transfer_id: UUID) -> Decided:
    return Decided(done=False, sentence=f"there is no transfer {transfer_id}")


_HELP: Sequence[tuple[str, str]] = (
    ("released", "only what a hold period or a changed account keeps can be released"),
    ("retried", "only a refused or parked transfer can be retried"),
    (
        "cancelled",
        "only what was not sent can be cancelled; a parked one with --checked, after looking at Stripe",
    ),
)


def _cannot(verb: str, transfer: LockedTransfer) -> str:
    why = f", {transfer.sentence}" if transfer.sentence else ""
    return f"transfer {transfer.id} is {transfer.state}{why}: {dict(_HELP)[verb]}"
