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
    applied,
    next_number,
    part_of,
    start,
    together,
)
from services.adjustments.domain.settlements_sent import Reversed

PROOFS: Final = ", "  # between Stripe's ids in a proof
PAYOUTS: Final = "payouts"  # in the place of a person whom a restored database has forgotten
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


def after_forgotten_reversal(offset: Settlement, rows: Sequence[Settlement], answer: Reversed) -> Changes:
    """What came back at Stripe before a restore, of a debt that waits now under the reversal's id.

    Who approved it is forgotten, so it began as an offset; of that the money that is there is taken out.
    """
    owed, came_back = -offset.amount, answer.came_back
    back = min(came_back.amount, owed)
    if not back:
        return Changes()
    said = f"before the database was restored: {came_back.sentence}"
    number = next_number(rows)
    reversal = replace(
        part_of(offset, -back, number),
        method=_M.STRIPE_REVERSAL,
        state=_S.SETTLED,
        instead_of=_M.FUTURE_PAYOUT_OFFSET,
        decided_by=PAYOUTS,
        proof=came_back.proof,
    )
    rest = replace(part_of(offset, back - owed, number + 1), instead_of=offset.method)
    step = Step(settlement=offset, to=_S.REPLACED, amount=offset.amount, sentence=said)
    return Changes(steps=(step,), begun=(reversal, rest) if rest.amount else (reversal,))


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


def after_parts(rows: Sequence[Settlement], parts: Sequence[tuple[str, int]]) -> Changes:
    """Transfers took parts of a debt off, or its last: so much of what waits is settled, the rest waits on.

    rows: every settlement of the wallet in this adjustment. parts: transfer and amount. What a transfer took
    while another way was under way settles what comes back to the offset later; no part settles more than it
    took.
    """
    decided: list[Changes] = []
    now = list(rows)
    for transfer, amount in parts:
        one = _after_part(now, transfer, amount)
        now = applied(now, one)
        decided.append(one)
    return together(decided)


def _after_part(rows: Sequence[Settlement], transfer: str, amount: int) -> Changes:
    spare = amount + sum(row.amount for row in rows if row.proof == transfer and row.state is _S.SETTLED)
    steps: list[Step] = []
    begun: list[Settlement] = []
    for old in rows:
        if old.method is not _M.FUTURE_PAYOUT_OFFSET or old.state is not _S.WAITING or spare <= 0:
            continue
        taken = min(spare, -old.amount)
        spare -= taken
        said = f"transfer {transfer} took {format_minor(taken, old.currency)} {old.currency} of it off"
        steps.append(Step(settlement=old, to=_S.SETTLED, amount=-taken, sentence=said, proof=transfer))
        if left := old.amount + taken:
            begun.append(replace(part_of(old, left, next_number(rows)), instead_of=old.method))
    return Changes(steps=tuple(steps), begun=tuple(begun))


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
