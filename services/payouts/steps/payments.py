"""Decide what payees are paid now, and write it, when money, a payee or the time changed.

Lock, decide, write, stage; the caller commits. It never calls Stripe.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Tx
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.zones import local_date
from services.payouts import store, wire
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.domain.offsets import Share
from services.payouts.domain.orders import MoneyToMove, NewOperation, order_account, order_transfer
from services.payouts.domain.payees import Payee, hold_sentence, payee_hold
from services.payouts.domain.payments import (
    Accrual,
    HeldTransfer,
    NewTransfer,
    Payable,
    PayeeMoney,
    Payments,
    decide_payments,
)
from services.payouts.domain.transfers import ACCOUNT_HOLDS, HoldReason, Move, TransferState

NOT_TOLD = frozenset({HoldReason.HOLD_PERIOD, HoldReason.ACCOUNT_REFUSED})


async def accrue(tx: Tx, accruals: Sequence[Accrual], now: datetime) -> set[str]:
    """Keep payables, once for each journal and wallet; the wallets that got a new one. Payees are locked.

    The revert of a payable's journal is a payable too, and so is a revert of that, in whatever order they
    come: a revert waits for the journal that it reverts. The revert of any other journal is none.
    """
    owed = await store.payables.accrue(tx, [one for one in accruals if one.reverts is None], now)
    await store.reverts.keep(tx, [one for one in accruals if one.reverts is not None])
    concerned = {one.reverts or one.journal_id for one in accruals}
    concerned |= {one.journal_id for one in accruals}
    while reverts := await store.reverts.take(tx, concerned):
        owed |= await store.payables.accrue(tx, reverts, now)
        concerned = {one.journal_id for one in reverts}
    return owed


async def pay(tx: Tx, wallets: Collection[str], now: datetime, *, period: str | None = None) -> Payments:
    """Turn the open payables and held transfers of payees into operations, or give them a reason to wait.

    `period`: as for `decide_payments`.
    """
    return await pay_locked(tx, await store.payees.lock(tx, wallets), now, period=period)


async def set_off(tx: Tx, wallets: Collection[str], now: datetime) -> None:
    """Decide anew for those of the payees, locked already, who owe something: a transfer came back unsent."""
    if owing := await store.withholding.owing(tx, wallets):
        await pay(tx, owing, now)


async def pay_locked(
    tx: Tx, payees: Sequence[Payee], now: datetime, *, period: str | None = None
) -> Payments:
    """The same for payees that the caller's transaction has locked."""
    holds = {payee.wallet: payee_hold(payee) for payee in payees}
    blocked = {
        p.wallet: (hold, hold_sentence(p, hold)) if (hold := holds[p.wallet]) else None for p in payees
    }
    whole = [p.wallet for p in payees if period is not None or p.schedule == "per_flight" or not p.configured]
    payables = await store.payables.open_payables(tx, whole, sorted(blocked))
    waiting = await store.transfers.waiting(tx, blocked, now)
    owing = {payable.wallet for payable in payables if payable.amount < 0}
    waiting += await _unsent(tx, owing)
    share = await _share(tx, now) if owing else Share()
    payments = decide_payments(_accounts(payees, payables, waiting, share), now, period=period)
    await _write(tx, payments, {p.wallet: p for p in payees}, now)
    return payments


async def _share(tx: Tx, now: datetime) -> Share:
    """What share of each payment the school's book takes off today."""
    return await store.offsets.share(tx, local_date(now, await store.payees.time_zone(tx)))


async def _unsent(tx: Tx, owing: Collection[str]) -> list[HeldTransfer]:
    """Transfers of payees who owe something that would be sent without another decision, and were not yet."""
    return await store.transfers.unsent(tx, await store.withholding.lock_unsent(tx, owing)) if owing else []


def _accounts(
    payees: Sequence[Payee], payables: Sequence[Payable], waiting: Sequence[HeldTransfer], share: Share
) -> list[PayeeMoney]:
    by_wallet: dict[str, tuple[list[Payable], list[HeldTransfer]]] = {p.wallet: ([], []) for p in payees}
    for payable in payables:
        by_wallet[payable.wallet][0].append(payable)
    for held in waiting:
        by_wallet[held.wallet][1].append(held)
    return [
        PayeeMoney(
            payee=p,
            payables=tuple(by_wallet[p.wallet][0]),
            waiting=tuple(by_wallet[p.wallet][1]),
            share=share,
        )
        for p in payees
    ]


async def _write(tx: Tx, payments: Payments, payees: dict[str, Payee], now: datetime) -> None:
    merged = [w.id for w, _ in payments.dissolved]
    await store.operations.cancel(tx, merged, "set off against what the payee owed", now)
    await store.withholding.withhold(tx, {w.id: hold for w, hold in payments.held if w.ordered})
    due: list[HeldTransfer | NewTransfer] = [*payments.released]
    due += [transfer for transfer in payments.new if transfer.hold is None]
    # Merged transfers are cancelled first, since new ones take their causes; operations refer to transfers.
    moved = await store.transfers.move(tx, _moves(payments, payees), now)
    assert moved.issuperset(merged), "only what is proven unsent is merged"
    await store.transfers.insert(tx, payments.new, now)
    await fault_point("payouts.transfers_written")
    await store.operations.insert(tx, [_order(paid, payees) for paid in due], now)
    await fault_point("payouts.operations_written")
    await outbox.stage(tx, await _hold_notifications(tx, payments, payees))


def _moves(payments: Payments, payees: dict[str, Payee]) -> list[Move]:
    dissolved = [
        Move(
            transfer_id=w.id,
            to=TransferState.CANCELLED,
            reason=str(HoldReason.OFFSET),
            sentence=f"merged into transfer {into}, where what the payee owed is taken off",
        )
        for w, into in payments.dissolved
    ]
    released = [Move(transfer_id=w.id, to=TransferState.PENDING) for w in payments.released]
    held = [
        Move(
            transfer_id=w.id,
            to=TransferState.HELD,
            reason=str(hold),
            sentence=hold_sentence(payees[w.wallet], hold),
        )
        for w, hold in payments.held
    ]
    return dissolved + released + held


def _order(paid: HeldTransfer | NewTransfer, payees: dict[str, Payee]) -> NewOperation:
    destination = payees[paid.wallet].stripe_account
    assert destination is not None, "payee_hold lets no payee without an account pass"
    money = MoneyToMove(
        transfer_id=paid.id,
        wallet=paid.wallet,
        amount=paid.amount,
        currency=paid.currency,
        trace=paid.trace,
    )
    return order_transfer(money, destination=destination, source=paid.cause, sources=paid.sources)


async def _hold_notifications(tx: Tx, payments: Payments, payees: dict[str, Payee]) -> list[Message]:
    """Tell why money is held, once per payee and reason.

    A hold period was agreed and is not told; what stopped an operation was told when it ended (endings.py).
    """
    reasons: dict[str, tuple[HoldReason, Cause]] = {}
    for transfer in payments.new:
        if transfer.hold is not None and transfer.hold not in NOT_TOLD:
            reasons[transfer.wallet] = (transfer.hold, transfer.trace)
    for waiting, hold in payments.held:
        if hold not in NOT_TOLD:
            reasons[waiting.wallet] = (hold, waiting.trace)
    if not reasons:
        return []
    news = await store.payees.not_told_yet(tx, {wallet: hold for wallet, (hold, _) in reasons.items()})
    return [m for w in news for m in wire.notifications.held_notifications(payees[w], *reasons[w])]


async def tell_of_account(tx: Tx, wallet: str, trace: Cause) -> None:
    """Tell who has to know why Stripe disabled a payee's account, once, also while no money waits."""
    [payee] = await store.payees.lock(tx, [wallet])
    hold = payee_hold(payee)
    if hold in ACCOUNT_HOLDS and await store.payees.not_told_yet(tx, {wallet: hold}):
        await outbox.stage(tx, wire.notifications.held_notifications(payee, hold, trace))


async def hold_unsent(tx: Tx, wallets: Collection[str], now: datetime) -> None:
    """Hold transfers that were decided and not yet sent, of payees that may not be paid now."""
    payees = await store.payees.lock(tx, wallets)
    holds = {p.wallet: hold for p in payees if (hold := payee_hold(p)) is not None}
    if not holds:
        return
    sentences = {
        p.wallet: (holds[p.wallet], hold_sentence(p, holds[p.wallet])) for p in payees if p.wallet in holds
    }
    concerned = await store.operations.hold_unsent(tx, sentences)
    moves = [
        Move(
            transfer_id=transfer_id,
            to=TransferState.HELD,
            reason=str(holds[wallet]),
            sentence=sentences[wallet][1],
        )
        for transfer_id, wallet in concerned.items()
    ]
    await store.transfers.move(tx, moves, now)


async def open_missing_accounts(
    tx: Tx, wallets: Collection[str], now: datetime, trace: Cause, policy: AccountPolicy
) -> None:
    """Order a Stripe account for each configured payee that has none.

    A request that Stripe refused is never repeated: another is ordered, with what the settings say now.
    """
    rows = await store.payees.without_account(tx, wallets)
    orders = [
        order_account(
            policy,
            wallet=row.wallet,
            country=row.country,
            trace=trace,
            refused=row.refused,
        )
        for row in rows
    ]
    await store.operations.insert(tx, orders, now)


async def close_period(tx: Tx, schedule: str, period: str, now: datetime) -> None:
    """Pay all open payables of payees on this schedule, as one transfer for each payee."""
    await pay(tx, await store.payees.to_close(tx, schedule, period), now, period=period)
