"""Refund students' cards, when it is asked for: order refunds, hear what became of them, answer.

Decision 0215. The caller commits. None of this calls Stripe.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from fleet.money import format_minor
from services.payouts import metrics, store, wire
from services.payouts.domain.refunds import (
    Answer,
    CardPayment,
    Refunding,
    SeenRefund,
    Settled,
    Wait,
    decide_refunds,
    order_takes,
)

POLL: Final = timedelta(seconds=1)  # while another request of the student is under way


async def order(
    tx: Tx,
    settlement_id: UUID,
    wallet: str,
    payments: Sequence[CardPayment],
    seen: Sequence[SeenRefund],
    now: datetime,
) -> None:
    """Order what is refunded for a request, or answer it. seen: every refund of the payments at Stripe."""
    one = await take_turn(tx, settlement_id, wallet, now)
    if one is None:
        return None
    ours = [refund for refund in seen if refund.is_for(settlement_id)]
    await store.refunds.note(tx, settlement_id, ours)
    made = await store.refunds.made(tx, settlement_id)
    refused = await store.refunds.refused(tx, settlement_id)
    decided = decide_refunds(one, payments, seen, made, refused, now)
    if isinstance(decided, Wait):
        return await store.refunds.wait(tx, settlement_id, decided.sentence, decided.until)
    if isinstance(decided, Answer):
        return await _settle(tx, one, decided, now)
    numbered = [refund.number for refund in ours]
    ordered = max([await store.refunds.count_ordered(tx, settlement_id), *numbered])
    orders = order_takes(one, decided, ordered)
    await store.operations.insert(tx, orders, now)
    asked = f"{format_minor(sum(t.amount for t in decided), one.currency)} {one.currency}"
    named = ", ".join(take.charge_id for take in decided[:5])
    await store.refunds.order(tx, settlement_id, [o.id for o in orders], f"refunds {asked} of {named}")
    return await fault_point("payouts.refunds_ordered")


async def take_turn(tx: Tx, settlement_id: UUID, wallet: str, now: datetime) -> Refunding | None:
    """Lock a request that is to be decided. None: another one of the student is under way, or was faster.

    It is asked before Stripe is too: the refunds of a student are many reads.
    """
    under_way = await store.refunds.lock(tx, wallet)
    one = next((r for r in under_way if r.settlement_id == settlement_id and r.state == "looking"), None)
    if one is None or not any(r.state == "refunding" for r in under_way):
        return one
    await store.refunds.wait(tx, settlement_id, "waits for another request to the same student", now + POLL)
    return None


async def note_made(tx: Tx, made: Mapping[UUID, SeenRefund | None], now: datetime) -> None:
    """Note refunds that Stripe made. made: operation -> its refund, None when it could not be read."""
    parts = await store.refunds.parts_among(tx, made)
    for operation_id, settlement_id in parts.items():
        if (refund := made[operation_id]) is not None:
            await store.refunds.note(tx, settlement_id, [refund])
    await store.refunds.look_again(tx, set(parts.values()), now)


async def note_refused(tx: Tx, refused: Mapping[UUID, str], now: datetime) -> set[UUID]:
    """End refunds that Stripe refused; those of them. refused: operation -> Stripe's sentence.

    They are not tried again: their requests look for another payment.
    """
    parts = await store.refunds.parts_among(tx, refused)
    if parts:
        steps = [(i, "refused", None, refused[i]) for i in parts]
        steps += [(i, "closed", None, "the request looks for another payment") for i in parts]
        await store.stopped.note(tx, steps, now)
        await store.stopped.close(tx, parts, now)
        await store.refunds.look_again(tx, set(parts.values()), now)
    return set(parts)


async def _settle(tx: Tx, one: Refunding, answer: Answer, now: datetime) -> None:
    await store.refunds.settle(tx, one.settlement_id, answer, now)
    metrics.REFUNDS_SETTLED.labels(str(answer.reason)).inc()
    await outbox.stage(tx, [wire.messages.refund_settled(Settled(asked=one, answer=answer, settled_at=now))])
    await fault_point("payouts.refund_settled")
