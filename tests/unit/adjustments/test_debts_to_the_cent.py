"""A debt is settled to the cent, in whatever parts transfers, short reversals and cheques take it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.adjustments.domain.settlements import (
    IN_FORCE,
    OPEN,
    CameBack,
    Changes,
    Choice,
    Method,
    Settlement,
    SettlementState,
    applied,
    choose,
)
from services.adjustments.domain.settlements_answers import after_parts, after_refused_journal, after_reversal
from tests.unit.adjustments.test_settlements import INSTRUCTOR, begun, choice

M, S = Method, SettlementState
DEBT = 1_000


@dataclass
class Payouts:
    """What payouts does with the debt, in the fewest words: open, or claimed, or gone."""

    open: int = DEBT
    claimed: int = 0
    asked: bool = False
    came_back: int = 0
    parts: list[tuple[str, int]] = field(default_factory=list)

    def deduct(self, most: int) -> None:
        if taken := min(most, self.open):
            self.open -= taken
            self.parts.append((f"T{len(self.parts)}", taken))

    def claim(self, asked: int, unsent: int) -> None:
        """Unsent money covers some of it: that is deducted before it leaves."""
        self.claimed = max(min(asked, self.open - unsent), 0)
        self.open -= self.claimed

    def answer(self, most: int) -> int:
        back = min(most, self.claimed)
        self.open += self.claimed - back
        self.came_back += back
        self.claimed = 0
        return back


@dataclass
class Story:
    payouts: Payouts = field(default_factory=Payouts)
    rows: list[Settlement] = field(default_factory=lambda: [begun(INSTRUCTOR, -DEBT)])

    def take(self, changes: Changes | str) -> bool:
        if isinstance(changes, str):
            return False
        self.rows = applied(self.rows, changes)
        self.rows = applied(self.rows, after_parts(self.rows, self.payouts.parts))
        return True

    def asked(self, method: Method) -> Settlement | None:
        return next((r for r in self.rows if r.state is S.ASKED and r.method is method), None)

    def claw_back(self, unsent: int) -> None:
        if self.asked(M.STRIPE_REVERSAL) is None and self.take(choose(self.rows, choice(M.STRIPE_REVERSAL))):
            asked = self.asked(M.STRIPE_REVERSAL)
            assert asked is not None
            self.payouts.claim(-asked.amount, unsent)

    def answer(self, most: int) -> None:
        if (asked := self.asked(M.STRIPE_REVERSAL)) is not None:
            back = CameBack(amount=self.payouts.answer(most), proof="trr_1", sentence="what came back")
            self.take(after_reversal(asked, self.rows, back, None))

    def deduct(self, most: int) -> None:
        self.payouts.deduct(most)
        self.take(Changes())

    def cheque(self, amount: int) -> None:
        chosen: Choice = replace(choice(M.MANUAL_CHECK), amount=amount)
        self.take(choose(self.rows, chosen))

    def bounce(self, _: int) -> None:
        if (asked := self.asked(M.MANUAL_CHECK)) is not None:
            self.take(after_refused_journal(asked, self.rows, "it bounced", None))

    def paid_in(self) -> int:
        """By cheques that did not bounce."""
        return -sum(r.amount for r in self.rows if r.method is M.MANUAL_CHECK and r.state in IN_FORCE)


def check(story: Story) -> None:
    rows, payouts = story.rows, story.payouts
    assert sum(row.amount for row in rows if row.state in IN_FORCE) == -DEBT
    for transfer, taken in payouts.parts:
        assert -sum(r.amount for r in rows if r.proof == transfer and r.state is S.SETTLED) <= taken
    assert -sum(r.amount for r in rows if r.proof == "trr_1" and r.state is S.SETTLED) == payouts.came_back
    if story.asked(M.STRIPE_REVERSAL) is None:
        gone = payouts.came_back + sum(taken for _, taken in payouts.parts) + story.paid_in()
        waiting = -sum(r.amount for r in rows if r.state is S.WAITING)
        assert waiting == max(DEBT - gone, 0)


ACTS: dict[str, Callable[[Story, int], None]] = {
    "claw back": Story.claw_back,
    "answer": Story.answer,
    "deduct": Story.deduct,
    "cheque": Story.cheque,
    "bounce": Story.bounce,
}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, DEBT + 100)), max_size=12))
def test_a_debt_is_settled_to_the_cent(acts: list[tuple[str, int]]) -> None:
    story = Story()
    for name, amount in acts:
        ACTS[name](story, amount)
        check(story)
    story.answer(0)
    story.deduct(DEBT)
    check(story)
    assert not [r for r in story.rows if r.state in OPEN and r.method is not M.MANUAL_CHECK]
