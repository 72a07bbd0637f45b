"""Let transfers out, or hold them for the school's reserve; lock, decide, write. It never calls Stripe."""

from datetime import datetime

from fleet.database import Tx
from fleet.faults import fault_point
from fleet.zones import local_date
from services.payouts import store
from services.payouts.domain.payees import hold_sentence, payee_hold
from services.payouts.domain.reserve_gate import LetOut, WaitingTransfer, decide_let_out
from services.payouts.domain.transfers import HoldReason, Move, TransferState

AT_ONCE = 500


async def follow_policy(tx: Tx, now: datetime) -> None:
    """Begin or end to let transfers out, as the school's book says for today."""
    today = local_date(now, await store.payees.time_zone(tx))
    in_force = await store.reserve_gate.in_force(tx, today)
    if in_force is None:
        await store.reserve_gate.unwatch(tx, None)
        return
    currency, policy = in_force
    if currency not in await store.reserve_gate.watched(tx):
        await store.reserve_gate.watch(tx, currency, policy, now)
        await store.reserve_gate.unwatch(tx, currency)
    await store.reserve_gate.believe_for(tx, currency, policy)


async def let_out(tx: Tx, currency: str, now: datetime) -> LetOut | None:
    """Let out what the gate lets out, oldest first, and hold the rest; None when it cannot be said now.

    Held for the reserve and of a payee that may not be paid by now, a transfer waits for its payee instead.
    """
    wallets = await store.reserve_gate.wallets_waiting(tx, currency, AT_ONCE)
    if not wallets:
        return None
    payees = {payee.wallet: payee for payee in await store.payees.lock(tx, wallets)}
    gate = await store.reserve_gate.lock(tx, currency)
    waiting = await store.reserve_gate.lock_waiting(tx, currency, wallets, AT_ONCE)
    holds = {wallet: payee_hold(payee) for wallet, payee in payees.items()}
    if await store.reserve_gate.number_waiting(tx, currency, wallets, AT_ONCE) != len(waiting):
        return None  # somebody else holds one now: none passes it
    decided = decide_let_out(gate, [one for one in waiting if holds[one.wallet] is None], now)
    await store.reserve_gate.let_out(tx, currency, decided.out, now)
    await store.reserve_gate.hold(
        tx, [one.operation_id for one in decided.held], HoldReason.RESERVE, decided.sentence
    )
    moves = [Move(transfer_id=one.transfer_id, to=TransferState.PENDING) for one in decided.out if one.held]
    moves += [_held(one, HoldReason.RESERVE, decided.sentence) for one in decided.held]
    for one in waiting:
        if (hold := holds[one.wallet]) is not None:
            sentence = hold_sentence(payees[one.wallet], hold)
            await store.reserve_gate.hold(tx, [one.operation_id], hold, sentence)
            moves.append(_held(one, hold, sentence))
    await store.transfers.move(tx, moves, now)
    await fault_point("payouts.let_out")
    return decided


def _held(one: WaitingTransfer, hold: HoldReason, sentence: str) -> Move:
    return Move(transfer_id=one.transfer_id, to=TransferState.HELD, reason=str(hold), sentence=sentence)
