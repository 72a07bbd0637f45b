"""A student's account under any order of bills, payments, declines, refunds, disputes, corrections, reverts.

The model is an amount for each document, and the bill that a payment names. Journals are announced, and read
later, in any order and again. Whatever was read: what is open is what an independent walk from the oldest on
leaves; with all read it is the ledger's.
"""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fleet.database import Database
from fleet.envelope import Record
from services.billing.handlers import configure_school
from services.receivables import handlers
from services.receivables.desk.decisions import ACTIONS
from services.receivables.desk.reads import open_items, today
from tests.conftest import OpenDatabase
from tests.integration.billing.given import configured
from tests.integration.ledger.test_reverts_and_groups import undo
from tests.integration.receivables.stories import charge, dispute, failed_intent, refund, webhook
from tests.integration.receivables.test_open_items import (
    balance,
    bill,
    correct,
    open_of,
    pay,
    posts,
    posts_of,
)
from tests.support.decisions import answered, decision
from tests.support.machines import Machine, run_machine

AMOUNT = st.integers(1, 500)
WHICH = st.integers(0, 50)
DAYS = (0, 1, 30, 31, 60, 61, 90, 91, 400)  # what is booked today is due today
AGES = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"), (1_000, "over_90"))
ZERO = dict.fromkeys((*(name for _, name in AGES), "credit", "balance"), 0)
_numbers = count(1)
_versions = count(2)  # the fixture made the first


class Account(Machine):
    """One student of a school that many examples share."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, db: Database, ledger: Database, billing: Database
    ) -> None:
        super().__init__(loop)
        self.db, self.ledger, self.billing = db, ledger, billing

    @initialize()
    def begin(self) -> None:
        self.student = f"s{next(_numbers)}"
        known = {"kind": "student", "key": self.student, "new": {}}
        self.wait(configure_school(self.billing, [configured(next(_versions), [known])]))
        self.amounts: dict[str, int] = defaultdict(int)
        self.unread: list[tuple[Record, str, int]] = []
        self.read: list[Record] = []
        self.bills: list[str] = []
        self.cash: list[tuple[str, int]] = []
        self.cards: dict[str, dict[str, Any]] = {}
        self.words: dict[str, str] = {}

    def _announced(self, records: list[Record], document: str, amount: int) -> None:
        self.unread += [(one, document, amount) for one in records]

    @rule(amount=AMOUNT)
    def bill(self, amount: int) -> None:
        flight = f"F{next(_numbers)}"
        self.bills.append(flight)
        records = self.wait(posts(self.ledger, bill(flight, amount, student=self.student)))
        self._announced(records, f"flight:{flight}", -amount)

    @precondition(lambda self: self.bills)
    @rule(which=WHICH, amount=AMOUNT, back=st.booleans())
    def correct(self, which: int, amount: int, back: bool) -> None:
        flight = self.bills[which % len(self.bills)]
        moved = amount if back else -amount
        asked = correct(flight, moved, student=self.student, revision=next(_numbers) + 1)
        self._announced(self.wait(posts(self.ledger, asked)), f"flight:{flight}", moved)

    @rule(amount=AMOUNT)
    def pay_cash(self, amount: int) -> None:
        number = str(next(_numbers))
        self.cash.append((number, amount))
        records = self.wait(posts(self.ledger, pay(number, amount, student=self.student)))
        self._announced(records, f"cash:{number}", amount)

    @precondition(lambda self: self.cash)
    @rule(which=WHICH)
    def revert(self, which: int) -> None:
        number, amount = self.cash.pop(which % len(self.cash))
        self._announced(self.wait(posts(self.ledger, undo(f"cash:{number}"))), f"cash:{number}", -amount)

    @rule(amount=AMOUNT)
    def pay_by_card(self, amount: int) -> None:
        name = f"ch_{next(_numbers)}"
        paid = charge(name, student=self.student, amount=amount, amount_captured=amount)
        self.cards[name] = {"amount": amount, "refunds": 0, "left": amount, "dispute": None}
        self._report("charge.succeeded", paid, name, amount)

    @rule(amount=AMOUNT)
    def decline(self, amount: int) -> None:
        name = f"ch_{next(_numbers)}"
        failed = failed_intent(name, student=self.student, amount=amount)
        self._report("payment_intent.payment_failed", failed, name, 0)

    @precondition(lambda self: any(card["left"] for card in self.cards.values()))
    @rule(which=WHICH, amount=AMOUNT)
    def refund(self, which: int, amount: int) -> None:
        name, card = self._card(which)
        amount = min(amount, card["left"])
        card["left"] -= amount
        card["refunds"] += 1
        told = refund(name, f"re_{name}_{card['refunds']}", amount=amount)
        self._report("refund.created", told, name, -amount)

    @precondition(lambda self: any(card["left"] for card in self.cards.values()))
    @rule(which=WHICH, end=st.sampled_from(["needs_response", "won", "lost"]))
    def dispute(self, which: int, end: str) -> None:
        """Opened, won or lost, each as the one report that comes; all of it is then beyond refunds."""
        name, card = self._card(which)
        amount, card["left"] = card["left"], 0
        moved = [-amount, amount] if end == "won" else [-amount]
        rows = [{"id": f"txn_{name}_{n}", "amount": n, "fee": 0, "net": n} for n in moved]
        told = dispute(name, id=f"du_{name}", amount=amount, status=end, balance_transactions=rows)
        self._report(f"charge.dispute.{end}", told, name, -amount if end == "lost" else 0)

    def _card(self, which: int) -> tuple[str, dict[str, Any]]:
        able = [(name, card) for name, card in self.cards.items() if card["left"]]
        return able[which % len(able)]

    def _report(self, event: str, told: dict[str, Any], name: str, amount: int) -> None:
        """A webhook, and of the journals that receivables asks for because of it the student's."""
        kind = "charge.dispute.closed" if event.startswith("charge.dispute") else event
        self.wait(handlers.take_stripe_events(self.db, [webhook(kind, told)]))
        records = self.wait(posts_of(self.ledger, self.db))
        ours = [one for one in records if f'"student:{self.student}"'.encode() in (one.value or b"")]
        assert len(ours) == (1 if amount else 0), (event, [one.key for one in records])
        self._announced(ours, f"charge:{name}", amount)

    @precondition(lambda self: self.bills and any(amount > 0 for amount in self.amounts.values()))
    @rule(which=WHICH, of=WHICH)
    def name(self, which: int, of: int) -> None:
        """A payment names a bill; one that is paid, or not read yet, is refused."""
        payments = sorted(document for document, amount in self.amounts.items() if amount > 0)
        payment, flight = payments[which % len(payments)], self.bills[of % len(self.bills)]
        asked = decision("receivables", "name_bill", payment, {"bill": flight}, why="a test")
        answer = self.wait(answered(self.db, ACTIONS, asked))
        if answer.outcome == "done":
            self.words[payment] = f"flight:{flight}"
        self._compare()

    @precondition(lambda self: self.unread)
    @rule(order=st.lists(WHICH, min_size=1, max_size=6), again=WHICH, days=st.sampled_from(DAYS))
    def reads(self, order: list[int], again: int, days: int) -> None:
        """Some of what was announced, in some order, and something that was read before."""
        batch = []
        for place in order:
            if self.unread:
                one, document, amount = self.unread.pop(place % len(self.unread))
                self.amounts[document] += amount
                batch.append(one)
        if self.read:
            batch.append(self.read[again % len(self.read)])
        self.wait(handlers.take_journals(self.db, batch))
        self.read += batch
        self._compare()
        self.wait(self._compare_ages(days))

    def _compare(self) -> None:
        left = {side: sum(max(-side * a, 0) for a in self.amounts.values()) for side in (-1, 1)}
        named: dict[str, int] = defaultdict(int)
        for payment, wanted in self.words.items():
            paid = named[wanted] + max(self.amounts[payment], 0)
            named[wanted] = min(paid, max(-self.amounts[wanted], 0))
        left[-1] -= sum(named.values())
        expected = {}
        for document, amount in sorted(self.amounts.items()):
            if amount:
                side = 1 if amount > 0 else -1
                settled = min(abs(amount) - named[document], left[side])
                left[side] -= settled
                settled += named[document]
                if abs(amount) > settled:
                    expected[document] = side * (abs(amount) - settled)
        assert self.wait(open_of(self.db, self.student)) == expected
        if not self.unread:
            assert sum(expected.values()) == self.wait(balance(self.ledger, self.student))

    async def _compare_ages(self, days: int) -> None:
        """On any day one student's ageing is their account; the school's is everybody's."""
        now, account = datetime.now(UTC), sum(self.amounts.values())
        async with self.db.transaction() as tx:
            day = await today(tx, now)
            for later in DAYS:
                one = await open_items.ageing(tx, now, student=self.student, on=day + timedelta(later))
                age = next(name for last, name in AGES if later <= last)
                wanted = ZERO | {age: max(-account, 0), "credit": max(account, 0), "balance": account}
                assert [_sums([row]) for row in one] == ([wanted] if account else []), later
            everybody = await open_items.ageing(tx, now, on=day + timedelta(days))
            total = await open_items.ageing_in_total(tx, now, on=day + timedelta(days))
        assert [_sums([row]) for row in total] == ([_sums(everybody)] if everybody else [])
        owing = sum(row["owed"] > 0 for row in everybody)
        assert [row["students"] for row in total] == ([owing] if everybody else [])
        if not self.unread:
            assert account == await balance(self.ledger, self.student)


def _sums(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in ZERO}


async def test_whatever_happens_in_whatever_order_the_account_is_the_ledgers(
    db: Database, open_db: OpenDatabase
) -> None:
    ledger, billing = open_db("ledger"), open_db("billing")
    await run_machine(lambda loop: Account(loop, db, ledger, billing), examples=25, steps=25)
