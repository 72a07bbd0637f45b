"""What follows when payouts or the ledger answers a settlement, or takes an answer back. Pure.

What did not come to pass is settled in another way by itself, so that those in force still sum to the
adjustment's difference.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleet.money import format_minor
from services.adjustments.domain.settlements import (
    BY_TRANSFER,
    CameBack,
    Changes,
    Method,
    Settlement,
    SettlementState,
    Step,
    next_number,
    part_of,
    start,
)

PROOFS: Final = ", "  # between Stripe's ids in a proof
_M, _S = Method, SettlementState


def after_reversal(
    asked: Settlement, rows: Sequence[Settlement], came_back: CameBack, transfer: str | None
) -> Changes:
    """What follows from payouts' answer: what came back is settled, the rest becomes an offset by itself.

    rows: every settlement of the wallet in this adjustment. transfer: the id of one that carried the debt.
    """
    owed, said = -asked.amount, came_back.sentence
    back = min(came_back.amount, owed)
    if back:
        step = Step(settlement=asked, to=_S.SETTLED, amount=-back, sentence=said, proof=came_back.proof)
    else:
        step = Step(settlement=asked, to=_S.FAILED, amount=asked.amount, sentence=said)
    if back == owed:
        return Changes(steps=(step,))
    state, proof = start(_M.FUTURE_PAYOUT_OFFSET, transfer)
    rest = replace(
        part_of(asked, back - owed, next_number(rows)),
        method=_M.FUTURE_PAYOUT_OFFSET,
        state=state,
        instead_of=_M.STRIPE_REVERSAL,
        decided_by=None,
        proof=proof,
    )
    return Changes(steps=(step,), begun=(rest,))


def after_refused_journal(
    asked: Settlement, rows: Sequence[Settlement], said: str, transfer: str | None
) -> Changes:
    """The ledger refused a settlement's journal: what it took the place of is in force again.

    rows: every settlement of the wallet in this adjustment. transfer: the id of one that carried it since.
    """
    old = max(
        (row for row in rows if row.method is asked.instead_of and row.state is _S.REPLACED),
        key=lambda row: row.number,
    )
    state, proof = start(old.method, transfer) if old.method in BY_TRANSFER else (_S.SETTLED, old.proof)
    again = replace(
        part_of(old, asked.amount, next_number(rows)), instead_of=asked.method, state=state, proof=proof
    )
    step = Step(settlement=asked, to=_S.FAILED, amount=asked.amount, sentence=said)
    return Changes(steps=(step,), begun=(again,))


def after_part(rows: Sequence[Settlement], transfer: str, amount: int) -> Changes:
    """A transfer took a part of a debt off: so much of what waits is settled, and the rest waits on.

    rows: every settlement of the wallet in this adjustment. The same transfer again changes nothing.
    """
    waiting = [row for row in rows if row.method is _M.FUTURE_PAYOUT_OFFSET and row.state is _S.WAITING]
    if not waiting or any(row.proof == transfer for row in rows):
        return Changes()
    old = waiting[0]
    taken = min(amount, -old.amount)
    said = f"transfer {transfer} took {format_minor(taken, old.currency)} {old.currency} of it off"
    step = Step(settlement=old, to=_S.SETTLED, amount=-taken, sentence=said, proof=transfer)
    left = part_of(old, old.amount + taken, next_number(rows))
    return Changes(steps=(step,), begun=(replace(left, instead_of=old.method),) if left.amount else ())


def begun_in_parts(one: Settlement, parts: Sequence[tuple[str, int]]) -> list[Settlement]:
    """A debt that begins to be settled, of which transfers took parts before. parts: transfer and amount."""
    if one.method is not _M.FUTURE_PAYOUT_OFFSET or one.state is not _S.WAITING:
        return [one]
    begun: list[Settlement] = []
    owed = -one.amount
    for transfer, amount in parts:
        if (taken := min(amount, owed)) > 0:
            settled = part_of(one, -taken, one.number + len(begun))
            begun.append(replace(settled, state=_S.SETTLED, proof=transfer))
            owed -= taken
    return [*begun, *([part_of(one, -owed, one.number + len(begun))] if owed else [])]


def after_refund(asked: Settlement, rows: Sequence[Settlement], refunded: CameBack) -> Changes:
    """What follows from payouts' answer: what was refunded is settled, the rest is a credit again.

    rows: every settlement of the wallet in this adjustment. The refunds' journals are receivables'.
    """
    back = min(refunded.amount, asked.amount)
    if back:
        step = Step(
            settlement=asked, to=_S.SETTLED, amount=back, sentence=refunded.sentence, proof=refunded.proof
        )
    else:
        step = Step(settlement=asked, to=_S.FAILED, amount=asked.amount, sentence=refunded.sentence)
    if back == asked.amount:
        return Changes(steps=(step,))
    credit = max((row for row in rows if row.method is _M.CREDIT), key=lambda row: row.number)
    return Changes(steps=(step,), begun=(_credit(asked, asked.amount - back, rows, str(credit.proof)),))


def after_returned_refund(
    done: Settlement, rows: Sequence[Settlement], refund: str, amount: int, source: str
) -> Changes:
    """A bank sent a refund back after it was settled: the student has the money on the account again.

    refund: its id at Stripe. source: of the journal by which the ledger gave it back.
    """
    said = f"the bank sent refund {refund} back"
    step = Step(settlement=done, to=_S.REPLACED, amount=done.amount, sentence=said)
    back = _credit(done, min(amount, done.amount), rows, source)
    kept = done.amount - back.amount
    left = PROOFS.join(one for one in str(done.proof).split(PROOFS) if one != refund)
    rest = (replace(part_of(done, kept, back.number + 1), proof=left or done.proof),) if kept else ()
    return Changes(steps=(step,), begun=(back, *rest))


def _credit(old: Settlement, amount: int, rows: Sequence[Settlement], proof: str) -> Settlement:
    return replace(
        part_of(old, amount, next_number(rows)),
        method=_M.CREDIT,
        state=_S.SETTLED,
        instead_of=_M.REFUND,
        decided_by=None,
        proof=proof,
    )
