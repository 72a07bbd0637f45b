"""What becomes of a refund that fails, at once or later: the rest is a credit again, and sums stay."""

import pytest

from services.adjustments.domain.settlements import (
    CameBack,
    Method,
    Settlement,
    SettlementState,
    applied,
    choose,
)
from services.adjustments.domain.settlements_answers import (
    after_parts,
    after_refund,
    after_returned_refund,
    begun_in_parts,
)
from tests.unit.adjustments.test_settlements import (
    INSTRUCTOR,
    SCHOOL,
    STUDENT,
    begun,
    changed,
    choice,
    in_force,
)

M, S = Method, SettlementState


def refunding(amount: int = 4_000) -> list[Settlement]:
    """A credit whose place a refund took."""
    rows = [begun(STUDENT, amount)]
    return applied(rows, changed(rows, choice(M.REFUND)))


def refunded(amount: int, proof: str = "re_1, re_2") -> CameBack:
    return CameBack(amount=amount, proof=proof, sentence="what went back")


def test_a_refund_takes_the_place_of_a_credit_and_of_nothing_else() -> None:
    assert [(r.method, r.state, r.amount) for r in refunding()] == [
        (M.CREDIT, S.REPLACED, 4_000),
        (M.REFUND, S.ASKED, 4_000),
    ]
    for rows in ([begun(STUDENT, -4_000)], [begun(INSTRUCTOR, 4_000)], [begun(SCHOOL, 4_000)]):
        assert isinstance(choose(rows, choice(M.REFUND)), str)


@pytest.mark.parametrize(
    ("amount", "after"),
    [
        (4_000, [(M.REFUND, S.SETTLED, 4_000, "re_1, re_2")]),
        (
            2_500,
            [(M.REFUND, S.SETTLED, 2_500, "re_1, re_2"), (M.CREDIT, S.SETTLED, 1_500, "adjustment:F1:2")],
        ),
        (0, [(M.REFUND, S.FAILED, 4_000, None), (M.CREDIT, S.SETTLED, 4_000, "adjustment:F1:2")]),
    ],
)
def test_what_was_not_refunded_is_a_credit_again(
    amount: int, after: list[tuple[Method, SettlementState, int, str | None]]
) -> None:
    rows = refunding()
    rows = applied(rows, after_refund(rows[1], rows, refunded(amount)))
    assert [(r.method, r.state, r.amount, r.proof) for r in rows[1:]] == after
    assert in_force(rows) == 4_000


@pytest.mark.parametrize(
    ("proof", "after"),
    [
        ("re_1", [(M.CREDIT, S.SETTLED, 4_000, "refund-failed:re_1")]),
        (
            "re_1, re_2",
            [(M.CREDIT, S.SETTLED, 1_000, "refund-failed:re_1"), (M.REFUND, S.SETTLED, 3_000, "re_2")],
        ),
    ],
)
def test_a_refund_that_a_bank_sends_back_later_is_a_credit_again(
    proof: str, after: list[tuple[Method, SettlementState, int, str | None]]
) -> None:
    rows = refunding()
    rows = applied(rows, after_refund(rows[1], rows, refunded(4_000, proof)))
    amount = 4_000 if proof == "re_1" else 1_000
    rows = applied(rows, after_returned_refund(rows[1], rows, "re_1", amount, "refund-failed:re_1"))
    assert rows[1].state is S.REPLACED
    assert [(r.method, r.state, r.amount, r.proof) for r in rows[2:]] == after
    assert in_force(rows) == 4_000


def test_parts_are_taken_off_until_nothing_is_left_and_the_same_transfer_once() -> None:
    rows = [begun(INSTRUCTOR, -1_750)]
    for transfer, amount in (("T1", 500), ("T1", 500), ("T2", 5_000), ("T3", 1)):
        rows = applied(rows, after_parts(rows, [(transfer, amount)]))
        assert in_force(rows) == -1_750
    assert [(r.state, r.amount, r.proof) for r in rows] == [
        (S.SETTLED, -500, "T1"),
        (S.SETTLED, -1_250, "T2"),
    ]


def test_what_was_taken_off_before_it_began_is_settled_from_the_beginning() -> None:
    rows = begun_in_parts(begun(INSTRUCTOR, -1_750), [("T1", 500), ("T2", 250)])
    assert [(r.number, r.state, r.amount) for r in rows] == [
        (1, S.SETTLED, -500),
        (2, S.SETTLED, -250),
        (3, S.WAITING, -1_000),
    ]
    assert begun_in_parts(begun(INSTRUCTOR, -300), [("T1", 500)])[0].amount == -300
    assert begun_in_parts(begun(STUDENT, -300), [("T1", 500)]) == [begun(STUDENT, -300)]
