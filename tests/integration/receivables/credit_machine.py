"""A student's credit under any order of limits, holds, bills, payments, declines, refunds and disputes.

Billing, receivables and the ledger, each on its own tables. The model is two sums and a hold for each flight:
who is cleared, and what is posted, held, disputed and left, is what it says after every step.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fleet.zones import local_date
from services.billing.handlers import configure_school
from services.receivables import handlers
from services.receivables.desk.decisions import ACTIONS
from tests.integration.billing.given import completed, configured, rows
from tests.integration.receivables.credits import SCHOOL, book, stands
from tests.integration.receivables.stories import charge, dispute, failed_intent, refund, webhook
from tests.integration.receivables.test_dispatches import HOUR, School, called_off, dispatched
from tests.support.decisions import answered, decision
from tests.support.machines import Machine

LIMIT, SOLO = 50_000, 42_000  # in all, and after a flight without an instructor
DUAL_HOUR = HOUR + 7_000
ALONE = 30_000  # what one person may allow, or give in a day
HOURS = st.integers(1, 3)
AMOUNT = st.integers(1, 40_000)
WHICH = st.integers(0, 20)
_numbers = count(1)
_versions = count(2)  # the fixture made the first
_cards = count(2)


def held_for(hours: int, *, dual: bool) -> int:
    """A whole number of hours with the margin, rounded up."""
    return -(-hours * (DUAL_HOUR if dual else HOUR) * 110 // 100)


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
        self.disputed = 0
        self.documents: dict[str, int] = {}  # what each put on the account
        self.flights: dict[str, int] = {}  # revision
        self.held: dict[str, int] = {}
        self.cards: dict[str, dict[str, Any]] = {}
        self.limits: dict[date, tuple[int | None, bool, date | None]] = {}  # by their first day
        self.allowed: dict[str, dict[str, int]] = {}  # of a flight, by the allowance
        self.alone: dict[str, dict[str, int]] = {}  # of those what one person said
        self.unapproved: dict[str, tuple[str, int]] = {}

    @property
    def posted(self) -> int:
        return sum(self.documents.values())

    @property
    def today(self) -> date:
        return local_date(datetime.now(UTC), SCHOOL["time_zone"])

    @property
    def own(self) -> tuple[int | None, bool]:
        """The limit that stands and whether it is frozen: the newest card in force, else the book's."""
        cards = [
            (limit, frozen)
            for day, (limit, frozen, until) in sorted(self.limits.items())
            if day <= self.today and (until is None or until >= self.today)
        ]
        return cards[-1] if cards else (LIMIT, False)

    def room(self, limit: int) -> int:
        return limit + self.posted - sum(self.held.values()) - self.disputed

    @rule(
        since=st.sampled_from([-5, -2, 3]),
        limit=st.none() | st.integers(0, 90_000),
        frozen=st.booleans() | st.just(False),
        days=st.none() | st.sampled_from([-1, 1]),
    )
    def limit(self, since: int, limit: int | None, frozen: bool, days: int | None) -> None:
        """A card of their own, for a while or for good, or frozen; what begins later stands later."""
        day = self.today + timedelta(days=since)
        until = None if days is None else self.today + timedelta(days=max(days, since))
        card = {"limit": limit, "frozen": frozen, "until": until and until.isoformat()}
        self._book(("credit_limit", self.student, day.isoformat(), card))
        self.limits[day] = limit, frozen, until
        self._compare()

    @precondition(lambda self: self.limits)
    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        day = sorted(self.limits)[which % len(self.limits)]
        del self.limits[day]
        self._book(("credit_limit", self.student, day.isoformat(), None))
        self._compare()

    def _book(self, change: tuple[str, str, str, dict[str, Any] | None]) -> None:
        self.wait(handlers.follow_book(self.db, [book(next(_cards), change)]))

    @rule(hours=HOURS, dual=st.booleans())
    def dispatch(self, hours: int, dual: bool) -> None:
        flight = f"D{next(_numbers)}"
        self.flights[flight] = 0
        self._dispatch(flight, hours, dual)

    @precondition(lambda self: self.flights)
    @rule(which=WHICH, hours=HOURS, dual=st.booleans())
    def dispatch_again(self, which: int, hours: int, dual: bool) -> None:
        self._dispatch(self._flight(which), hours, dual)

    def _dispatch(self, flight: str, hours: int, dual: bool) -> None:
        self.flights[flight] += 1
        planned: dict[str, Any] = {"student": self.student}
        if dual:
            planned |= {"instructor": "instructor-01", "dual_hours": f"{hours}.0"}
        self.wait(self.school.say(dispatched(flight, self.flights[flight], f"{hours}.0", **planned)))
        wanted, mine = held_for(hours, dual=dual), self.held.get(flight, 0)
        limit, frozen = self.own
        beyond = sum(self.allowed.get(flight, {}).values())
        bounds = [bound for bound in (limit, None if dual else SOLO) if bound is not None]
        cleared = not bounds or wanted <= self.room(min(bounds)) + mine + beyond
        said = "frozen" if frozen else "cleared" if cleared else "limit_exceeded"
        assert (flight, self.flights[flight], said) in self.wait(self.school.answers())
        if said == "cleared":
            self.held[flight] = wanted
        self._compare()

    @precondition(lambda self: self.flights)
    @rule(which=WHICH, amount=AMOUNT)
    def allow(self, which: int, amount: int) -> None:
        """A person lets one flight go further; what single persons allowed already counts."""
        flight = self._flight(which)
        until = (datetime.now(UTC) + timedelta(hours=20)).isoformat()
        told: dict[str, Any] = {"student": self.student, "amount": amount, "until": until}
        self._decided("allow_flight", flight, **told)
        [row] = self.wait(
            rows(self.db, "SELECT id FROM credit_allowance ORDER BY asked_at DESC, id DESC LIMIT 1")
        )
        alone = amount + sum(n for of in self.alone.values() for n in of.values())
        if alone > ALONE:
            self.unapproved[str(row["id"])] = flight, amount
        else:
            self.allowed.setdefault(flight, {})[str(row["id"])] = amount
            self.alone.setdefault(flight, {})[str(row["id"])] = amount

    @precondition(lambda self: self.unapproved)
    @rule(which=WHICH)
    def approve(self, which: int) -> None:
        id = sorted(self.unapproved)[which % len(self.unapproved)]
        flight, amount = self.unapproved.pop(id)
        self._decided("approve_allowance", id, who="bob")
        self.allowed.setdefault(flight, {})[id] = amount

    @precondition(lambda self: any(self.allowed.values()))
    @rule(which=WHICH)
    def end_allowance(self, which: int) -> None:
        """What it let through stands."""
        ids = sorted((flight, id) for flight, of in self.allowed.items() for id in of)
        flight, id = ids[which % len(ids)]
        del self.allowed[flight][id]
        self.alone.get(flight, {}).pop(id, None)
        self._decided("close_allowance", id)

    def _decided(
        self, action: str, about: str, *, who: str = "ann", outcome: str = "done", **told: Any
    ) -> str:
        """A person decides; what was said."""
        asked = decision("receivables", action, about, told, who=who, why="a test")
        answer = self.wait(answered(self.db, ACTIONS, asked))
        assert answer.outcome == outcome, answer.sentence
        self.wait(self.school.settle(["receivables"]))
        return answer.sentence

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
        solo = {"instructor": None, "dual_hours": "0", "ground_hours": "0", "student": self.student}
        meters = {"hobbs_out": None, "hobbs_in": None, "flight_hours": f"{hours}.0"}
        self.wait(self.school.say(completed(flight_id=flight, **solo, **meters)))
        self.documents[f"flight:{flight}"] = -hours * HOUR
        self._ended(flight)

    def _ended(self, flight: str) -> None:
        self.wait(self.school.end())
        del self.flights[flight]
        self.held.pop(flight, None)
        self._compare()

    def _flight(self, which: int) -> str:
        return sorted(self.flights)[which % len(self.flights)]

    @rule(amount=AMOUNT)
    def pay_by_card(self, amount: int) -> None:
        name = f"ch_{next(_numbers)}"
        self.cards[name] = {"left": amount, "refunds": 0, "open": False}
        paid = charge(name, student=self.student, amount=amount, amount_captured=amount)
        self._report("charge.succeeded", paid, name, amount)

    @rule(amount=AMOUNT)
    def decline(self, amount: int) -> None:
        name = f"ch_{next(_numbers)}"
        failed = failed_intent(name, student=self.student, amount=amount)
        self._report("payment_intent.payment_failed", failed, name, 0)

    @precondition(lambda self: self._cards())
    @rule(which=WHICH, amount=AMOUNT)
    def refund(self, which: int, amount: int) -> None:
        name, card = self._card(which)
        amount = min(amount, card["left"])
        card["left"] -= amount
        card["refunds"] += 1
        told = refund(name, f"re_{name}_{card['refunds']}", amount=amount)
        self._report("refund.created", told, name, -amount)

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
        self._report("charge.dispute.updated", told, name, -amount if end == "lost" else 0)

    def _cards(self) -> list[str]:
        return sorted(name for name, card in self.cards.items() if card["left"])

    def _card(self, which: int) -> tuple[str, dict[str, Any]]:
        able = self._cards()
        return able[which % len(able)], self.cards[able[which % len(able)]]

    def _report(self, event: str, told: dict[str, Any], name: str, amount: int) -> None:
        self.wait(handlers.take_stripe_events(self.db, [webhook(event, told)]))
        self.wait(self.school.settle(["receivables"]))
        self._moved(f"charge:{name}", amount)

    def _moved(self, document: str, amount: int) -> None:
        self.documents[document] = self.documents.get(document, 0) + amount
        self._compare()

    def _compare(self) -> None:
        pending = sum(self.held.values())
        limit, frozen = self.own
        found = self.wait(stands(self.db, self.student, datetime.now(UTC)))
        compared = ("posted", "pending", "available", "disputed", "credit_limit", "room", "level", "frozen")
        assert {name: found[name] for name in compared} == {
            "posted": self.posted,
            "pending": pending,
            "available": self.posted - pending,
            "disputed": self.disputed,
            "credit_limit": limit,
            "room": None if limit is None else self.room(limit),
            "level": self._level(limit),
            "frozen": frozen,
        }

    def _level(self, limit: int | None) -> str:
        used = max(self.disputed + sum(self.held.values()) - self.posted, 0)
        if limit is None:
            return "ok"
        if used > limit:
            return "exceeded"
        shares = [name for name, percent in (("near", 80), ("close", 95)) if used * 100 >= limit * percent]
        return shares[-1] if shares and limit else "ok"
