"""Corrections, approvals, rejections, answers of the ledger and expiry in any order, beside a small model.

The model keeps the ledger itself: what each flight's wallets hold. Whatever happens, a correction that stands
leaves exactly what it says, and nobody approves what they made.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from fleet.database import Database
from fleet.envelope import Record
from services.adjustments.handlers import expire, take_posted
from tests.integration.adjustments.stories import (
    FIRST,
    LESS,
    MORE,
    NOW,
    SLIGHTLY_LESS,
    decide,
    posted,
    propose,
    refuse_journal,
    revised,
    states,
)
from tests.support.machines import Machine, run_machine

ABOVE = {"student:anna": -26_000, "instructor:ines": 11_375, "platform:school": 14_625}
BILLS: tuple[dict[str, int], ...] = (FIRST, LESS, SLIGHTLY_LESS, ABOVE, MORE, {})
MAKERS, CHECKERS = ("eve", "dan"), ("eve", "dan", "ann", "bob")
FLIGHTS = st.sampled_from((0, 1))
_examples = count()


@dataclass
class Revision:
    """One correction as the model sees it. `adds`: against the ledger, when it was judged."""

    entries: dict[str, int]
    makers: set[str]
    state: str = "proposed"
    adds: dict[str, int] = field(default_factory=dict)
    approvers: set[str] = field(default_factory=set)


@dataclass
class Flight:
    """What the ledger holds for a flight, and its corrections by number."""

    name: str
    ledger: Counter[str] = field(default_factory=lambda: Counter(FIRST))
    revisions: dict[int, Revision] = field(default_factory=dict)

    def correct(self, entries: dict[str, int], maker: str) -> int:
        number, makers = len(self.revisions) + 2, {maker}
        for one in reversed(self.revisions.values()):
            if one.state in ("approved", "posted", "settled"):
                break
            makers |= one.makers
        for one in self.revisions.values():
            if one.state in ("proposed", "waiting", "failed"):
                one.state = "superseded"
        self.revisions[number] = Revision(entries=entries, makers=makers)
        self.judge()
        return number

    def judge(self) -> None:
        """Decide about the correction that is proposed, once no journal is under way."""
        if any(one.state == "approved" for one in self.revisions.values()):
            return
        for number, one in self.revisions.items():
            if one.state == "proposed":
                for earlier, other in self.revisions.items():
                    if earlier < number and other.state == "failed":
                        other.state = "superseded"
                        one.makers |= other.makers
                wallets = {*one.entries, *self.ledger}
                one.adds = {w: d for w in wallets if (d := one.entries.get(w, 0) - self.ledger[w])}
                one.state = "waiting" if self.needed(one) else "approved" if one.adds else "settled"

    @staticmethod
    def needed(one: Revision) -> int:
        largest = max(map(abs, one.adds.values()), default=0)
        return 2 if largest > 50_000 else 1 if largest > 5_000 else 0

    def newest(self, state: str) -> int | None:
        return max((n for n, one in self.revisions.items() if one.state == state), default=None)


class Corrections(Machine):
    """The service's handlers on a real database, and the model."""

    def __init__(self, loop: asyncio.AbstractEventLoop, db: Database) -> None:
        super().__init__(loop)
        self.db = db
        self.told: list[Record] = []
        self.flights: list[Flight] = []

    @initialize()
    def begin(self) -> None:
        example = next(_examples)
        self.flights = [Flight(name=f"M{example}-{place}") for place in (0, 1)]

    @rule(place=FLIGHTS, entries=st.sampled_from(BILLS), maker=st.sampled_from(MAKERS))
    def correct(self, place: int, entries: dict[str, int], maker: str) -> None:
        flight = self.flights[place]
        number = flight.correct(entries, maker)
        self.told.append(revised(number, entries, flight=flight.name, made_by=maker))
        self.wait(propose(self.db, self.told[-1]))

    @rule(place=FLIGHTS, two=st.lists(st.sampled_from(BILLS), min_size=2, max_size=3))
    def correct_in_one_batch(self, place: int, two: list[dict[str, int]]) -> None:
        flight = self.flights[place]
        batch = [
            revised(flight.correct(bill, "eve"), bill, flight=flight.name, made_by="eve") for bill in two
        ]
        self.wait(propose(self.db, *batch))

    @rule()
    def tell_again(self) -> None:
        if self.told:
            self.wait(propose(self.db, *self.told[-2:]))

    @rule(place=FLIGHTS, who=st.sampled_from(CHECKERS))
    def approve(self, place: int, who: str) -> None:
        flight = self.flights[place]
        if (number := flight.newest("waiting")) is None:
            return
        one = flight.revisions[number]
        allowed = who not in one.makers | one.approvers
        answer = self.wait(decide(self.db, "approve", f"{flight.name}:{number}", who))
        assert answer.outcome == ("done" if allowed else "refused"), answer.sentence
        if allowed:
            one.approvers.add(who)
            if len(one.approvers) == flight.needed(one):
                one.state = "approved"

    @rule(place=FLIGHTS, who=st.sampled_from(CHECKERS))
    def reject(self, place: int, who: str) -> None:
        flight = self.flights[place]
        if (number := flight.newest("waiting")) is not None:
            self.wait(decide(self.db, "reject", f"{flight.name}:{number}", who))
            flight.revisions[number].state = "rejected"

    @rule(place=FLIGHTS, twice=st.booleans())
    def post(self, place: int, twice: bool) -> None:
        flight = self.flights[place]
        if (number := flight.newest("approved")) is None:
            return
        one = flight.revisions[number]
        for _ in range(1 + twice):
            answer = posted(f"adjustment:{flight.name}:{number}", one.adds)
            self.wait(take_posted(self.db, [answer], clock=lambda: NOW))
        flight.ledger.update(one.adds)
        one.state = "posted"
        flight.judge()

    @rule(place=FLIGHTS)
    def refuse(self, place: int) -> None:
        flight = self.flights[place]
        if (number := flight.newest("approved")) is not None:
            self.wait(refuse_journal(self.db, f"adjustment:{flight.name}:{number}"))
            flight.revisions[number].state = "failed"
            flight.judge()

    @rule(place=FLIGHTS)
    def ask_again(self, place: int) -> None:
        flight = self.flights[place]
        if (number := flight.newest("failed")) is not None:
            self.wait(decide(self.db, "approve", f"{flight.name}:{number}", "ann", why="put right"))
            flight.revisions[number].state = "approved"

    @rule()
    def wait_too_long(self) -> None:
        self.wait(expire(self.db, clock=lambda: NOW + timedelta(days=15)))
        for flight in self.flights:
            for one in flight.revisions.values():
                if one.state == "waiting":
                    one.state = "expired"

    @invariant()
    def the_service_says_what_the_model_says(self) -> None:
        there = self.wait(states(self.db)) if self.flights else {}
        for flight in self.flights:
            for number, one in flight.revisions.items():
                assert there[f"{flight.name}:{number}"] == one.state

    @invariant()
    def what_stands_is_what_the_newest_bill_that_stands_says(self) -> None:
        for flight in self.flights:
            stood = [one for one in flight.revisions.values() if one.state in ("posted", "settled")]
            last = stood[-1].entries if stood else FIRST
            assert {wallet: amount for wallet, amount in flight.ledger.items() if amount} == last

    @invariant()
    def nobody_approved_what_they_made(self) -> None:
        for flight in self.flights:
            assert not any(one.makers & one.approvers for one in flight.revisions.values())


async def test_corrections_in_any_order_leave_what_the_last_one_says(db: Database) -> None:
    await run_machine(lambda loop: Corrections(loop, db), examples=25, steps=30)
