"""Hears what became of refunds to students' cards: payouts' answers, and what banks send back later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fleet.database import Tx
from services.adjustments import store
from services.adjustments.domain.settlements import Method, SettlementState
from services.adjustments.domain.settlements_answers import PROOFS, after_refund, after_returned_refund
from services.adjustments.domain.settlements_sent import Refunded, ReturnedRefund
from services.adjustments.steps.settlements import go_on, lock


async def take_answers(tx: Tx, answers: Sequence[Refunded], now: datetime) -> None:
    """Take payouts' answers: what was refunded is settled, the rest is a credit again by itself."""
    known = await lock(tx, [one.settlement_id for one in answers])
    returned = await store.settlements_refunds.note(tx, [r for one in answers for r in one.refunds])
    for one in answers:
        if (asked := known.asked(one)) is not None:
            known.decide(after_refund(asked, known.beside(asked), _less(one, returned).came_back))
    await go_on(tx, known, now)


def _less(one: Refunded, returned: dict[str, int]) -> Refunded:
    """An answer without the refunds that banks sent back before we heard of it."""
    kept = [refund for refund in one.refunds if not returned.get(refund)]
    if len(kept) == len(one.refunds):
        return one
    amount = one.came_back.amount - sum(returned.get(refund, 0) for refund in one.refunds)
    sentence = f"{one.came_back.sentence}; a bank sent some of it back"
    came_back = replace(one.came_back, amount=max(amount, 0), proof=PROOFS.join(kept), sentence=sentence)
    return replace(one, came_back=came_back)


async def take_returned(tx: Tx, returned: Sequence[ReturnedRefund], now: datetime) -> None:
    """Take refunds that banks sent back: the ledger has credited the student already."""
    if not returned:
        return
    # The row of each refund is written by whoever comes first, so that an answer and its end meet here.
    await store.settlements_refunds.note_returned(tx, {one.refund: one.amount for one in returned})
    known = await lock(tx, await store.settlements_refunds.settled_by(tx, [one.refund for one in returned]))
    for one in returned:
        for row in list(known.rows.values()):
            ours = row.method is Method.REFUND and row.state is SettlementState.SETTLED
            if ours and one.refund in str(row.proof).split(PROOFS):
                known.decide(
                    after_returned_refund(row, known.beside(row), one.refund, one.amount, one.source)
                )
    await go_on(tx, known, now)
