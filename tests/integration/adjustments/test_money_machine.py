"""Corrections, and how the money of one payee follows them, in any order, beside a model of a few numbers.

To what test_machine.py does come transfers that are sent, claw-backs and their answers, cheques, what is
forgiven or written off, and journals that the ledger posts or refuses. The model has no settlements, only how
much of each difference is where; whatever happens, that adds up to the difference.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import Row

from fleet.database import Database
from schemas.journals import JournalRefused
from services.adjustments.handlers import take_posted, take_refused
from tests.integration.adjustments.settle_stories import (
    INES,
    answer_reversals,
    reversal,
    send,
    sent,
    settle,
)
from tests.integration.adjustments.stories import (
    LESS,
    NOW,
    given_policy,
    journals,
    posted,
)
from tests.integration.adjustments.test_machine import BILLS, CHECKERS, FLIGHTS, Corrections
from tests.support.invariants import broken_invariants
from tests.support.machines import run_machine
from tests.support.records import record

TRANSFER, REVERSAL, CHEQUE, FORGIVEN, WRITTEN_OFF = (
    "transfer",
    "stripe_reversal",
    "manual_check",
    "forgiven",
    "written_off",
)
JOURNALS = (CHEQUE, FORGIVEN, WRITTEN_OFF)
SHARES = st.sampled_from((0, 50, 100))
_versions, _transfers = count(1), count(1)

_PARTS = """
    SELECT s.id, s.method, s.state, s.amount FROM settlement AS s JOIN adjustment AS a ON a.id = adjustment_id
    WHERE a.flight_id || ':' || a.revision = :name AND s.wallet = :wallet
      AND s.state IN ('waiting', 'asked', 'settled') ORDER BY s.number
"""


@dataclass(frozen=True)
class Asked:
    """What payouts or the ledger is asked for. again: it makes good what was written off."""

    method: str
    amount: int
    again: bool = False


@dataclass
class Money:
    """Where one difference of the payee is, in minor units."""

    difference: int
    waiting: int = 0
    asked: list[Asked] = field(default_factory=list)
    settled: Counter[str] = field(default_factory=Counter)
    carried: bool = False  # by a transfer: what waits for one, or will, is settled

    def wait(self, amount: int) -> None:
        if self.carried:
            self.settled[TRANSFER] += amount
        else:
            self.waiting += amount

    def send(self) -> None:
        self.carried = True
        self.settled[TRANSFER] += self.waiting
        self.waiting = 0


MONEY_FOLLOWS = precondition(lambda machine: bool(machine.money))


class MoneyOfCorrections(Corrections):
    """The handlers of corrections and of settlements on a real database, and the model."""

    def __init__(self, loop: asyncio.AbstractEventLoop, db: Database) -> None:
        super().__init__(loop, db)
        self.money: dict[str, Money] = {}
        self.carried: set[str] = set()
        self.reverses_first = False

    @initialize(reverses_first=st.booleans(), entries=st.sampled_from((LESS, {})))
    def begin(self, reverses_first: bool = False, entries: Mapping[str, int] = LESS) -> None:
        """The payee owes for each flight, by one of two policies, and was sent money lately."""
        super().begin()
        self.reverses_first = reverses_first
        waterfall = ["stripe_reversal"] if reverses_first else []
        policy = given_policy(
            self.db, version=next(_versions), waterfall=[*waterfall, "future_payout_offset"]
        )
        self.wait(policy)
        self.wait(send(self.db, sent("flight:M:1", transfer=self._transfer())))
        for place in (0, 1):
            self.correct_approve_and_post(place, dict(entries))
        self.each_cent_is_where_the_model_says()

    @rule(place=FLIGHTS, entries=st.sampled_from(BILLS))
    def correct_approve_and_post(self, place: int, entries: dict[str, int]) -> None:
        self.correct(place, entries, "eve")
        for who in ("ann", "bob"):
            self.approve(place, who)
        self.post(place, twice=False)

    @rule(place=FLIGHTS)
    def send_a_transfer(self, place: int) -> None:
        """One that carries the newest correction that stands, also one of whose posting nobody heard yet."""
        flight = self.flights[place]
        number = flight.newest("approved") or flight.newest("posted")
        if number is not None:
            name = f"{flight.name}:{number}"
            self.wait(send(self.db, sent(f"adjustment:{name}", transfer=self._transfer())))
            self.carried.add(name)
            if name in self.money:
                self.money[name].send()

    @MONEY_FOLLOWS
    @rule(who=st.sampled_from(CHECKERS))
    def claw_back(self, who: str) -> None:
        for name, money in self._newest():
            allowed = money.waiting < 0 and who not in self._makers(name)
            answer = self.wait(settle(self.db, "claw_back", who=who, name=name))
            assert answer.outcome == ("done" if allowed else "refused"), answer.sentence
            if allowed:
                money.asked.append(Asked(REVERSAL, money.waiting))
                money.waiting = 0

    @MONEY_FOLLOWS
    @rule(percent=SHARES, twice=st.booleans())
    def answer_a_reversal(self, percent: int, twice: bool) -> None:
        for name, money in self._newest():
            for settlement, asked in self._answered(name, money, REVERSAL):
                back = -asked.amount * percent // 100
                reason = "done" if percent == 100 else "short"
                for _ in range(1 + twice):
                    said = reversal(settlement, back, asked=-asked.amount, reason=reason)
                    self.wait(answer_reversals(self.db, said))
                money.settled[REVERSAL] -= back
                money.wait(asked.amount + back)

    @MONEY_FOLLOWS
    @rule(who=st.sampled_from(CHECKERS), method=st.sampled_from(JOURNALS), half=st.booleans())
    def settle_by_a_journal(self, who: str, method: str, half: bool) -> None:
        for name, money in self._newest():
            again = method == CHEQUE and not money.waiting and money.settled[WRITTEN_OFF] < 0
            there = money.settled[WRITTEN_OFF] if again else money.waiting
            allowed = there != 0 if method == CHEQUE else there < 0 and who not in self._makers(name)
            part = max(abs(there) // 2, 1) if half else abs(there)
            told: dict[str, Any] = {"amount": part} if there else {}
            told |= {"number": "7", "paid_on": "2026-01-31"} if method == CHEQUE else {}
            answer = self.wait(settle(self.db, who=who, name=name, method=method, wallet=INES, **told))
            assert answer.outcome == ("done" if allowed else "refused"), answer.sentence
            if allowed:
                amount = part if there > 0 else -part
                money.asked.append(Asked(method, amount, again))
                if again:
                    money.settled[WRITTEN_OFF] -= amount
                else:
                    money.waiting -= amount

    @MONEY_FOLLOWS
    @rule(refused=st.booleans())
    def answer_the_journals(self, refused: bool) -> None:
        for name, money in self._newest():
            for settlement, asked in self._answered(name, money, *JOURNALS):
                self._answer(settlement, refused=refused)
                if not refused:
                    money.settled[asked.method] += asked.amount
                elif asked.again:
                    money.settled[WRITTEN_OFF] += asked.amount
                else:
                    money.wait(asked.amount)

    @MONEY_FOLLOWS
    @rule(method=st.sampled_from((REVERSAL, *JOURNALS)), half=st.booleans(), sent_meanwhile=st.booleans())
    def settle_and_hear_the_answer(self, method: str, half: bool, sent_meanwhile: bool) -> None:
        """All that is open, to the end; perhaps a transfer carries it while nobody has answered."""
        if method == REVERSAL:
            self.claw_back("bob")
        else:
            self.settle_by_a_journal("bob", method, half)
        if sent_meanwhile:
            for place in (0, 1):
                self.send_a_transfer(place)
        self.answer_a_reversal(50 if half else 0, twice=False)
        self.answer_the_journals(refused=half)

    @invariant()
    def each_cent_is_where_the_model_says(self) -> None:
        for flight in self.flights:
            for number, one in flight.revisions.items():
                name, difference = f"{flight.name}:{number}", one.adds.get(INES, 0)
                if one.state == "posted" and difference and name not in self.money:
                    self._begin(name, difference, approved=bool(one.approvers))
        for name, money in self.money.items():
            there: Counter[str] = Counter()
            for row in self._parts(name):
                how = TRANSFER if row.method in ("payout", "future_payout_offset") else row.method
                there[row.state if row.state == "waiting" else f"{row.state} {how}"] += row.amount
            wanted = Counter({"waiting": money.waiting})
            for asked in money.asked:
                wanted[f"asked {asked.method}"] += asked.amount
            wanted.update({f"settled {how}": amount for how, amount in money.settled.items()})
            assert {k: v for k, v in there.items() if v} == {k: v for k, v in wanted.items() if v}
            assert sum(wanted.values()) == money.difference

    def teardown(self) -> None:
        assert self.wait(broken_invariants(self.db)) == {}
        super().teardown()

    def _begin(self, name: str, difference: int, *, approved: bool) -> None:
        money = self.money[name] = Money(difference=difference, carried=name in self.carried)
        if difference < 0 and self.reverses_first and approved:
            money.asked.append(Asked(REVERSAL, difference))
        else:
            money.wait(difference)

    def _newest(self) -> Iterator[tuple[str, Money]]:
        """The newest difference of each flight of which the money follows."""
        for flight in self.flights:
            names = [name for name in self.money if name.startswith(f"{flight.name}:")]
            yield from [(name, self.money[name]) for name in names[-1:]]

    def _makers(self, name: str) -> set[str]:
        flight, _, number = name.rpartition(":")
        [found] = [one for one in self.flights if one.name == flight]
        return found.revisions[int(number)].makers

    def _parts(self, name: str) -> list[Row[Any]]:
        async def read() -> list[Row[Any]]:
            async with self.db.transaction() as tx:
                return list(await tx.all(_PARTS, name=name, wallet=INES))

        return self.wait(read())

    def _answered(self, name: str, money: Money, *methods: str) -> list[tuple[UUID, Asked]]:
        """What is asked for in these ways, and is answered now, by the settlement's id."""
        ids = [row.id for row in self._parts(name) if row.state == "asked" and row.method in methods]
        answered = [asked for asked in money.asked if asked.method in methods]
        money.asked = [asked for asked in money.asked if asked.method not in methods]
        return list(zip(ids, answered, strict=True))

    def _answer(self, settlement: UUID, *, refused: bool) -> None:
        source = f"settlement:{settlement}"
        if refused:
            said = JournalRefused(
                source=source, event_type="settlement", reason="period_closed", sentence="it is closed"
            )
            self.wait(take_refused(self.db, [record("journal.refused", said, key=source)], clock=lambda: NOW))
        else:
            asked = self.wait(journals(self.db))[source]
            self.wait(take_posted(self.db, [posted(source, asked)], clock=lambda: NOW))

    @staticmethod
    def _transfer() -> str:
        return f"M{next(_transfers)}"


async def test_the_money_of_corrections_is_settled_once_in_any_order(db: Database) -> None:
    await run_machine(lambda loop: MoneyOfCorrections(loop, db), examples=12, steps=40)
