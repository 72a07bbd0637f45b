"""A student's credit under any order of holds, bills, payments, declines, refunds and disputes.

Billing, receivables and the ledger, each on its own tables. The model is two sums and a hold for each flight:
who is cleared, and what is posted, held, disputed and left, is what it says after every step.
"""

import asyncio
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fleet.database import Database
from fleet.zones import local_date
from services.billing.handlers import configure_school
from services.receivables import handlers
from services.receivables.desk.decisions import ACTIONS
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, configured
from tests.integration.receivables.credits import SCHOOL, a_school, stands
from tests.integration.receivables.stories import charge, dispute, failed_intent, refund, webhook
from tests.integration.receivables.test_dispatches import HOUR, School, called_off, dispatched
from tests.support.decisions import answered, decision
from tests.support.machines import Machine, run_machine

LIMIT = 50_000
HOURS = st.integers(1, 3)
AMOUNT = st.integers(1, 40_000)
WHICH = st.integers(0, 20)
_numbers = count(1)
_versions = count(2)  # the fixture made the first


def held_for(hours: int) -> int:
    """A whole number of hours with the margin, rounded up."""
    return -(-hours * HOUR * 110 // 100)


class Credit(Machine):
    """One student of a school that many examples share."""

    def __init__(self, loop: asyncio.AbstractEventLoop, school: School) -> None:
        super().__init__(loop)
        self.school, self.db = school, school.db["receivables"]

    @initialize()
    def begin(self) -> None:
        self.student = f"s{next(_numbers)}"
        known = {"kind": "student", "key": self.student, "new": {}}
        self.wait(configure_school(self.school.db["billing"], [configured(next(_versions), [known])]))
        self.posted = self.disputed = 0
        self.flights: dict[str, int] = {}  # revision
        self.held: dict[str, int] = {}
        self.cards: dict[str, dict[str, Any]] = {}

    @property
    def room(self) -> int:
        return LIMIT + self.posted - sum(self.held.values()) - self.disputed

    @rule(hours=HOURS)
    def dispatch(self, hours: int) -> None:
        flight = f"D{next(_numbers)}"
        self.flights[flight] = 0
        self._dispatch(flight, hours)

    @precondition(lambda self: self.flights)
    @rule(which=WHICH, hours=HOURS)
    def dispatch_again(self, which: int, hours: int) -> None:
        self._dispatch(self._flight(which), hours)

    def _dispatch(self, flight: str, hours: int) -> None:
        self.flights[flight] += 1
        told = dispatched(flight, self.flights[flight], f"{hours}.0", student=self.student)
        self.wait(self.school.say(told))
        wanted, mine = held_for(hours), self.held.get(flight, 0)
        cleared = wanted <= self.room + mine
        answer = (flight, self.flights[flight], "cleared" if cleared else "limit_exceeded")
        assert answer in self.wait(self.school.answers())
        if cleared:
            self.held[flight] = wanted
        self._compare()

    @precondition(lambda self: self.flights)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        flight = self._flight(which)
        self.wait(self.school.say(called_off(flight)))
        self._ended(flight)

    @precondition(lambda self: self.flights)
    @rule(which=WHICH, hours=HOURS)
    def fly(self, which: int, hours: int) -> None:
        """What was flown is owed, cleared or not, and whatever the limit is."""
        flight = self._flight(which)
        alone = {"instructor": None, "dual_hours": "0", "ground_hours": "0", "student": self.student}
        meters = {"hobbs_out": None, "hobbs_in": None, "flight_hours": f"{hours}.0"}
        self.wait(self.school.say(completed(flight_id=flight, **alone, **meters)))
        self.posted -= hours * HOUR
        self._ended(flight)

    def _ended(self, flight: str) -> None:
        self.wait(self.school.end())
        del self.flights[flight]
        self.held.pop(flight, None)
        self._compare()

    def _flight(self, which: int) -> str:
        return sorted(self.flights)[which % len(self.flights)]

    @rule(amount=AMOUNT)
    def pay_cash(self, amount: int) -> None:
        day = local_date(datetime.now(UTC), SCHOOL["time_zone"]).isoformat()
        told = {"method": "cash", "number": str(next(_numbers)), "paid_on": day, "amount": amount}
        asked = decision("receivables", "record_payment", self.student, told)
        assert self.wait(answered(self.db, ACTIONS, asked)).outcome == "done"
        self._moved(amount)

    @rule(amount=AMOUNT)
    def pay_by_card(self, amount: int) -> None:
        name = f"ch_{next(_numbers)}"
        self.cards[name] = {"left": amount, "refunds": 0, "open": False}
        paid = charge(name, student=self.student, amount=amount, amount_captured=amount)
        self._report("charge.succeeded", paid, amount)

    @rule(amount=AMOUNT)
    def decline(self, amount: int) -> None:
        failed = failed_intent(f"ch_{next(_numbers)}", student=self.student, amount=amount)
        self._report("payment_intent.payment_failed", failed, 0)

    @precondition(lambda self: self._cards())
    @rule(which=WHICH, amount=AMOUNT)
    def refund(self, which: int, amount: int) -> None:
        name, card = self._card(which)
        amount = min(amount, card["left"])
        card["left"] -= amount
        card["refunds"] += 1
        told = refund(name, f"re_{name}_{card['refunds']}", amount=amount)
        self._report("refund.created", told, -amount)

    @precondition(lambda self: self._cards())
    @rule(which=WHICH, end=st.sampled_from(["needs_response", "won", "lost"]))
    def dispute(self, which: int, end: str) -> None:
        """All that is left of a payment is disputed: it gives no room until that is won."""
        name, card = self._card(which)
        amount, card["left"] = card["left"], 0
        rows = [{"id": f"txn_{name}", "amount": -amount, "fee": 0, "net": -amount}]
        if end == "won":
            rows.append({"id": f"txn_{name}_back", "amount": amount, "fee": 0, "net": amount})
        told = dispute(name, id=f"du_{name}", amount=amount, status=end, balance_transactions=rows)
        self.disputed += amount if end == "needs_response" else 0
        self._report("charge.dispute.updated", told, -amount if end == "lost" else 0)

    def _cards(self) -> list[str]:
        return sorted(name for name, card in self.cards.items() if card["left"])

    def _card(self, which: int) -> tuple[str, dict[str, Any]]:
        able = self._cards()
        return able[which % len(able)], self.cards[able[which % len(able)]]

    def _report(self, event: str, told: dict[str, Any], amount: int) -> None:
        self.wait(handlers.take_stripe_events(self.db, [webhook(event, told)]))
        self._moved(amount)

    def _moved(self, amount: int) -> None:
        self.wait(self.school.settle())
        self.posted += amount
        self._compare()

    def _compare(self) -> None:
        pending = sum(self.held.values())
        found = self.wait(stands(self.db, self.student))
        assert {name: found[name] for name in ("posted", "pending", "available", "disputed", "room")} == {
            "posted": self.posted,
            "pending": pending,
            "available": self.posted - pending,
            "disputed": self.disputed,
            "room": self.room,
        }


async def test_nobody_is_cleared_beyond_the_limit(db: Database, open_db: OpenDatabase) -> None:
    await handlers.follow_book(db, [a_school(limit=LIMIT)])
    school = School(open_db, db)
    await run_machine(lambda loop: Credit(loop, school), examples=12, steps=25)
