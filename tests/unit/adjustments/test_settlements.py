"""How a difference is settled: the first way, what a person may choose instead, and that sums stay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.adjustments.domain.settlements import (
    BY_JOURNAL,
    BY_TRANSFER,
    CHOSEN,
    IN_FORCE,
    OPEN,
    TRANSITIONS,
    CameBack,
    Changes,
    Cheque,
    Choice,
    Method,
    Settlement,
    SettlementState,
    Step,
    Terms,
    begin,
    choose,
    journal_entries,
    settlement_id,
)
from services.adjustments.domain.settlements_answers import (
    after_refund,
    after_refused_journal,
    after_returned_refund,
    after_reversal,
)

M, S = Method, SettlementState
ADJUSTMENT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
INSTRUCTOR, STUDENT, SCHOOL = "instructor:instructor-01", "student:student-01", "platform:school"
CHEQUE = Cheque(number="1042", paid_on=date(2026, 6, 1))
REVERSAL_FIRST = (M.STRIPE_REVERSAL, M.FUTURE_PAYOUT_OFFSET)


def terms(
    differences: dict[str, int], *, waterfall: Sequence[Method] = (), approved_by: str | None = None
) -> Terms:
    return Terms(
        adjustment_id=ADJUSTMENT,
        source="adjustment:F1:2",
        currency="USD",
        differences=differences,
        waterfall=waterfall,
        approved_by=approved_by,
    )


def begun(wallet: str, amount: int, *, transfer: str | None = None, **policy: object) -> Settlement:
    transferred = {} if transfer is None else {wallet: transfer}
    [one] = begin(terms({wallet: amount}, **policy), transferred)  # type: ignore[arg-type]
    return one


def choice(method: Method, **more: object) -> Choice:
    cheque = CHEQUE if method is M.MANUAL_CHECK else None
    return Choice(**({"method": method, "decided_by": "bob", "cheque": cheque} | more))  # type: ignore[arg-type]


def changed(rows: Sequence[Settlement], how: Choice) -> Changes:
    changes = choose(rows, how)
    assert isinstance(changes, Changes), changes
    return changes


def applied(rows: Sequence[Settlement], changes: Changes) -> list[Settlement]:
    """What the tables hold afterwards; a step that is not in the table fails."""
    after = {row.id: row for row in rows}
    for step in changes.steps:
        assert step.to in TRANSITIONS[after[step.settlement.id].state]
        after[step.settlement.id] = replace(
            step.settlement, state=step.to, amount=step.amount, proof=step.proof or step.settlement.proof
        )
    for row in changes.begun:
        assert row.id not in after
        assert row.state in TRANSITIONS[None]
        after[row.id] = row
    assert all(row.proof for row in after.values() if row.state is S.SETTLED)
    return list(after.values())


def in_force(rows: Sequence[Settlement]) -> int:
    return sum(row.amount for row in rows if row.state in IN_FORCE)


@pytest.mark.parametrize(
    ("wallet", "amount", "waterfall", "approved_by", "method", "state"),
    [
        (STUDENT, 4000, (), None, M.CREDIT, S.SETTLED),
        (STUDENT, -4000, (), None, M.CHARGE, S.SETTLED),
        (SCHOOL, -2250, (), None, M.BOOKS, S.SETTLED),
        ("liability:tax", 90, REVERSAL_FIRST, "ann", M.BOOKS, S.SETTLED),
        (INSTRUCTOR, 1750, REVERSAL_FIRST, "ann", M.PAYOUT, S.WAITING),
        (INSTRUCTOR, -1750, (M.FUTURE_PAYOUT_OFFSET,), "ann", M.FUTURE_PAYOUT_OFFSET, S.WAITING),
        (INSTRUCTOR, -1750, (), "ann", M.FUTURE_PAYOUT_OFFSET, S.WAITING),
        (INSTRUCTOR, -1750, REVERSAL_FIRST, "ann", M.STRIPE_REVERSAL, S.ASKED),
        (INSTRUCTOR, -1750, REVERSAL_FIRST, None, M.FUTURE_PAYOUT_OFFSET, S.WAITING),
        ("aircraft_owner:owner-01", -1, REVERSAL_FIRST[::-1], "ann", M.FUTURE_PAYOUT_OFFSET, S.WAITING),
    ],
)
def test_each_party_is_settled_in_its_first_way(
    wallet: str,
    amount: int,
    waterfall: tuple[Method, ...],
    approved_by: str | None,
    method: Method,
    state: SettlementState,
) -> None:
    one = begun(wallet, amount, waterfall=waterfall, approved_by=approved_by)
    assert (one.method, one.state, one.amount, one.number) == (method, state, amount, 1)


def test_what_the_waterfall_claws_back_was_decided_by_who_approved_it() -> None:
    assert begun(INSTRUCTOR, -1, waterfall=REVERSAL_FIRST, approved_by="ann").decided_by == "ann"
    assert begun(INSTRUCTOR, -1, waterfall=(), approved_by="ann").decided_by is None


def test_a_wallet_without_a_difference_has_no_settlement() -> None:
    rows = begin(terms({STUDENT: 0, SCHOOL: 5, INSTRUCTOR: -5}), {})
    assert [row.wallet for row in rows] == [INSTRUCTOR, SCHOOL]


@pytest.mark.parametrize("amount", [1750, -1750])
def test_what_a_transfer_carried_before_we_knew_is_settled_at_once(amount: int) -> None:
    assert begun(INSTRUCTOR, amount, transfer="T").state is S.SETTLED


def test_the_same_decision_has_the_same_id_again() -> None:
    assert begun(INSTRUCTOR, 5).id == begun(INSTRUCTOR, 7).id == settlement_id(ADJUSTMENT, INSTRUCTOR, 1)
    assert settlement_id(ADJUSTMENT, INSTRUCTOR, 2) != settlement_id(ADJUSTMENT, INSTRUCTOR, 1)


def back(amount: int) -> CameBack:
    return CameBack(amount=amount, proof="trr_1", sentence="what became of it")


def asked_reversal() -> Settlement:
    return begun(INSTRUCTOR, -1750, waterfall=REVERSAL_FIRST, approved_by="ann")


def test_a_reversal_that_brings_all_back_settles() -> None:
    asked = asked_reversal()
    rows = applied([asked], after_reversal(asked, [asked], back(1750), None))
    assert [(r.method, r.state, r.amount) for r in rows] == [(M.STRIPE_REVERSAL, S.SETTLED, -1750)]


@pytest.mark.parametrize(("transfer", "state"), [(None, S.WAITING), ("T", S.SETTLED)])
def test_what_a_reversal_does_not_bring_back_becomes_an_offset(
    transfer: str | None, state: SettlementState
) -> None:
    asked = asked_reversal()
    rows = applied([asked], after_reversal(asked, [asked], back(1200), transfer))
    assert [(r.method, r.state, r.amount, r.number) for r in rows] == [
        (M.STRIPE_REVERSAL, S.SETTLED, -1200, 1),
        (M.FUTURE_PAYOUT_OFFSET, state, -550, 2),
    ]


def test_a_reversal_whose_window_is_closed_becomes_an_offset() -> None:
    asked = asked_reversal()
    rows = applied([asked], after_reversal(asked, [asked], back(0), None))
    assert [(r.method, r.state, r.amount) for r in rows] == [
        (M.STRIPE_REVERSAL, S.FAILED, -1750),
        (M.FUTURE_PAYOUT_OFFSET, S.WAITING, -1750),
    ]


# rows: a settlement's wallet and amount decide its first method. None: refused.
@pytest.mark.parametrize(
    ("wallet", "amount", "method", "entries"),
    [
        (INSTRUCTOR, -1750, M.MANUAL_CHECK, {INSTRUCTOR: 1750, "external:bank": -1750}),
        (INSTRUCTOR, 1750, M.MANUAL_CHECK, {INSTRUCTOR: -1750, "external:bank": 1750}),
        (STUDENT, -4000, M.MANUAL_CHECK, {STUDENT: 4000, "external:bank": -4000}),
        (STUDENT, 4000, M.MANUAL_CHECK, {STUDENT: -4000, "external:bank": 4000}),
        (INSTRUCTOR, -1750, M.FORGIVEN, {INSTRUCTOR: 1750, "platform:forgiven": -1750}),
        (STUDENT, -4000, M.FORGIVEN, {STUDENT: 4000, "platform:forgiven": -4000}),
        (INSTRUCTOR, -1750, M.WRITTEN_OFF, {INSTRUCTOR: 1750, "platform:written-off": -1750}),
        (STUDENT, -4000, M.WRITTEN_OFF, {STUDENT: 4000, "platform:written-off": -4000}),
        (INSTRUCTOR, 1750, M.FORGIVEN, None),
        (STUDENT, 4000, M.WRITTEN_OFF, None),
        (STUDENT, -4000, M.STRIPE_REVERSAL, None),
        (INSTRUCTOR, 1750, M.STRIPE_REVERSAL, None),
        (SCHOOL, 5, M.MANUAL_CHECK, None),
    ],
)
def test_a_person_may_settle_what_is_open_in_another_way(
    wallet: str, amount: int, method: Method, entries: dict[str, int] | None
) -> None:
    rows = [begun(wallet, amount)]
    changes = choose(rows, choice(method))
    if entries is None:
        assert isinstance(changes, str)
        assert f"{method} cannot take the place of" in changes
        return
    assert isinstance(changes, Changes)
    [chosen] = changes.begun
    assert (chosen.method, chosen.state, chosen.amount) == (method, S.ASKED, amount)
    assert (chosen.decided_by, journal_entries(chosen)) == ("bob", entries)
    assert in_force(applied(rows, changes)) == amount


def test_a_person_may_claw_back_what_would_be_an_offset() -> None:
    rows = [begun(INSTRUCTOR, -1750)]
    [chosen] = changed(rows, choice(M.STRIPE_REVERSAL)).begun
    assert (chosen.state, chosen.decided_by, chosen.number) == (S.ASKED, "bob", 2)


@pytest.mark.parametrize("method", sorted(CHOSEN))
def test_nothing_takes_the_place_of_what_is_asked_or_transferred(method: Method) -> None:
    for row in (asked_reversal(), begun(INSTRUCTOR, -1750, transfer="T")):
        assert isinstance(choose([row], choice(method)), str)


def test_a_part_may_be_settled_and_the_rest_stays() -> None:
    rows = [begun(INSTRUCTOR, -1750)]
    rows = applied(rows, changed(rows, choice(M.MANUAL_CHECK, amount=1000)))
    assert [(r.method, r.state, r.amount) for r in rows] == [
        (M.FUTURE_PAYOUT_OFFSET, S.REPLACED, -1750),
        (M.MANUAL_CHECK, S.ASKED, -1000),
        (M.FUTURE_PAYOUT_OFFSET, S.WAITING, -750),
    ]
    rows = applied(rows, changed(rows, choice(M.FORGIVEN)))
    assert in_force(rows) == -1750
    assert [r.amount for r in rows if r.method is M.FORGIVEN] == [-750]


@pytest.mark.parametrize(
    ("wallet", "amount", "how", "sentence"),
    [
        (INSTRUCTOR, -1750, choice(M.MANUAL_CHECK, cheque=None), "say the cheque's number"),
        (INSTRUCTOR, -1750, choice(M.FORGIVEN, cheque=CHEQUE), "has no cheque"),
        (INSTRUCTOR, -1750, choice(M.MANUAL_CHECK, paid_to_party=True), "it comes from them"),
        (INSTRUCTOR, 1750, choice(M.MANUAL_CHECK, paid_to_party=False), "the school pays it to them"),
        (INSTRUCTOR, -1750, choice(M.MANUAL_CHECK, amount=1751), "at most what is left, 17.50 USD"),
        (INSTRUCTOR, -1750, choice(M.MANUAL_CHECK, amount=0), "above zero"),
    ],
)
def test_a_choice_that_is_not_whole_is_refused(wallet: str, amount: int, how: Choice, sentence: str) -> None:
    refusal = choose([begun(wallet, amount)], how)
    assert isinstance(refusal, str)
    assert sentence in refusal


@pytest.mark.parametrize("paid_to_party", [None, False])
def test_a_cheque_in_the_right_direction_is_taken(paid_to_party: bool | None) -> None:
    changed([begun(INSTRUCTOR, -1750)], choice(M.MANUAL_CHECK, paid_to_party=paid_to_party))


def settled(rows: Sequence[Settlement], *, method: Method) -> list[Settlement]:
    return [replace(r, state=S.SETTLED, proof=r.source) if r.method is method else r for r in rows]


def test_money_that_comes_after_all_makes_the_write_off_good() -> None:
    rows = [begun(INSTRUCTOR, -1750)]
    rows = settled(applied(rows, changed(rows, choice(M.WRITTEN_OFF))), method=M.WRITTEN_OFF)
    changes = changed(rows, choice(M.MANUAL_CHECK, decided_by="carl"))
    [cheque] = changes.begun
    assert journal_entries(cheque) == {"platform:written-off": 1750, "external:bank": -1750}
    rows = applied(rows, changes)
    rows = applied(rows, after_refused_journal(cheque, rows, "refused", None))
    [again] = [row for row in rows if row.state in IN_FORCE]
    assert (again.method, again.state, again.amount, again.decided_by) == (
        M.WRITTEN_OFF,
        S.SETTLED,
        -1750,
        "bob",
    )


@pytest.mark.parametrize(
    ("wallet", "amount", "transfer", "method", "state"),
    [
        (INSTRUCTOR, -1750, None, M.FUTURE_PAYOUT_OFFSET, S.WAITING),
        (INSTRUCTOR, -1750, "T", M.FUTURE_PAYOUT_OFFSET, S.SETTLED),
        (INSTRUCTOR, 1750, None, M.PAYOUT, S.WAITING),
        (STUDENT, 40, None, M.CREDIT, S.SETTLED),
        (STUDENT, -40, None, M.CHARGE, S.SETTLED),
    ],
)
def test_a_refused_journal_puts_what_was_there_in_force_again(
    wallet: str, amount: int, transfer: str | None, method: Method, state: SettlementState
) -> None:
    rows = [begun(wallet, amount)]
    rows = applied(rows, changed(rows, choice(M.MANUAL_CHECK)))
    asked = rows[-1]
    rows = applied(rows, after_refused_journal(asked, rows, "refused", transfer))
    assert [(r.method, r.state, r.amount) for r in rows if r.state in IN_FORCE] == [(method, state, amount)]
    assert [r.number for r in rows] == [1, 2, 3]


@given(data=st.data())
def test_whatever_happens_each_cent_is_settled_once(data: st.DataObject) -> None:
    """Answers and people in any order: what is in force is always the difference."""
    wallet = data.draw(st.sampled_from([INSTRUCTOR, STUDENT]))
    difference = data.draw(st.integers(-300, 300).filter(bool))
    approver = data.draw(st.sampled_from(["ann", None]))
    rows = begin(terms({wallet: difference}, waterfall=REVERSAL_FIRST, approved_by=approver), {})
    transfer: str | None = None
    for _ in range(data.draw(st.integers(0, 8))):
        rows, transfer = _anything(data, rows, transfer)
        assert in_force(rows) == difference
        assert all(row.amount * difference > 0 for row in rows)
        assert len({row.id for row in rows}) == len(rows)


def _anything(
    data: st.DataObject, rows: list[Settlement], transfer: str | None
) -> tuple[list[Settlement], str | None]:
    """Payouts or the ledger answers, or payouts sends a transfer, or a person chooses."""
    asked = [row for row in rows if row.state is S.ASKED]
    answers: bool = data.draw(st.booleans())
    if asked and answers:
        one: Settlement = data.draw(st.sampled_from(asked))
        return applied(rows, _answered(data, one, rows, transfer)), transfer
    refunded = [row for row in rows if row.state is S.SETTLED and row.method is M.REFUND]
    returns: bool = data.draw(st.booleans())
    if refunded and returns:
        one = data.draw(st.sampled_from(refunded))
        amount = data.draw(st.integers(1, one.amount))
        returned = after_returned_refund(one, rows, str(one.proof), amount, "refund-failed:re")
        return applied(rows, returned), transfer
    sends: bool = data.draw(st.booleans())
    if sends:
        sent = [row for row in rows if row.state is S.WAITING and row.method in BY_TRANSFER]
        steps = tuple(
            Step(settlement=row, to=S.SETTLED, amount=row.amount, sentence="sent", proof="T") for row in sent
        )
        return applied(rows, Changes(steps=steps)), "T"
    how = choice(
        data.draw(st.sampled_from(sorted(CHOSEN))), amount=data.draw(st.none() | st.integers(1, 200))
    )
    changes = choose(rows, how)
    return (rows if isinstance(changes, str) else applied(rows, changes)), transfer


def _answered(data: st.DataObject, one: Settlement, rows: list[Settlement], transfer: str | None) -> Changes:
    if one.method is M.STRIPE_REVERSAL:
        return after_reversal(one, rows, back(data.draw(st.integers(0, -one.amount))), transfer)
    if one.method is M.REFUND:
        amount = data.draw(st.integers(0, one.amount))
        return after_refund(one, rows, CameBack(amount=amount, proof=f"re_{one.number}", sentence="it ended"))
    assert one.method in BY_JOURNAL
    refuses: bool = data.draw(st.booleans())
    if refuses:
        return after_refused_journal(one, rows, "refused", transfer)
    step = Step(settlement=one, to=S.SETTLED, amount=one.amount, sentence="posted", proof=one.source)
    return Changes(steps=(step,))


def test_open_is_what_waits() -> None:
    assert {state for state, after in TRANSITIONS.items() if state and S.SETTLED in after} == OPEN
