"""The same credit, with what people say of a student's account: payments by hand, credits, refunds.

The model has an amount for each document of the account. A credit note or write-off goes no further than its
bill, a refund no further than what is left to the student, each less what waits for a second person.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fleet.database import Database
from services.receivables import handlers
from tests.conftest import OpenDatabase
from tests.integration.billing.given import rows
from tests.integration.receivables.credit_machine import ALONE, AMOUNT, LIMIT, SOLO, WHICH, Credit
from tests.integration.receivables.credits import a_school
from tests.integration.receivables.test_dispatches import ROUTES, Handler, School
from tests.integration.receivables.test_open_items import correct, open_of
from tests.support.machines import run_machine

POLICY: Mapping[str, Any] = {
    "limit": LIMIT,
    "limit_solo": SOLO,
    "allowed_by_one_up_to": ALONE,
    "given_by_one_up_to": ALONE,
    "cheques_count": "when_cleared",
    "bounced_cheque_fee": 2_500,
}
_numbers = count(1)


class Accounts(School):
    """A school whose accounts are kept as the ledger posts."""

    routes: Mapping[str, tuple[str, Handler]] = MappingProxyType(
        {**ROUTES, "journal.posted": ("receivables", handlers.take_journals)}
    )


@dataclass(kw_only=True)
class Note:
    """A credit note, write-off or refund. alone: whether one person's word was enough."""

    action: str
    amount: int
    alone: bool
    state: str
    bill: str = ""


class Accounted(Credit):
    """One student of a school that many examples share, and the people at the desk."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.notes: dict[str, Note] = {}
        self.payments: dict[str, tuple[int, str]] = {}  # of the desk, by their ids, with their states

    # What is given

    @property
    def bills(self) -> list[str]:
        return sorted(name for name in self.documents if name.startswith("flight:"))

    def _waits(self, *actions: str, bill: str = "") -> int:
        """What waits for a second person."""
        return sum(
            note.amount
            for note in self.notes.values()
            if note.state == "waits" and note.action in actions and note.bill == bill
        )

    def _open(self) -> dict[str, int]:
        """What is open of each document: what was paid settles what is due first, and the other way round."""
        left = {side: sum(max(-side * n, 0) for n in self.documents.values()) for side in (-1, 1)}
        found = {}
        for document, amount in sorted(self.documents.items()):
            side = 1 if amount > 0 else -1
            settled = min(abs(amount), left[side])
            left[side] -= settled
            if abs(amount) > settled:
                found[document] = side * (abs(amount) - settled)
        return found

    @precondition(lambda self: self.bills)
    @rule(which=WHICH, amount=AMOUNT, action=st.sampled_from(["credit_bill", "write_off_bill"]))
    def credit(self, which: int, amount: int, action: str) -> None:
        bill = self.bills[which % len(self.bills)]
        most = self._left(action, bill)
        self._give(action, bill.removeprefix("flight:"), amount, most, bill=bill)

    def _left(self, action: str, bill: str) -> int:
        of = self.documents[bill] if action == "credit_bill" else self._open().get(bill, 0)
        return -of - self._waits("credit_bill", "write_off_bill", bill=bill)

    @precondition(lambda self: self.posted > 0)
    @rule(amount=AMOUNT)
    def refund_credit(self, amount: int) -> None:
        told = {"way": "cash", "number": f"P-{next(_numbers)}", "paid_on": self.today.isoformat()}
        self._give("refund_credit", self.student, amount, self._free, **told)

    @property
    def _free(self) -> int:
        return self.posted - sum(self.held.values()) - self.disputed - self._waits("refund_credit")

    def _give(self, action: str, about: str, amount: int, most: int, *, bill: str = "", **told: Any) -> None:
        if amount > most:
            self._decided(action, about, outcome="refused", amount=amount, **told)
            return
        self._decided(action, about, amount=amount, **told)
        given = sum(n.amount for n in self.notes.values() if n.alone and n.state in ("waits", "posted"))
        alone = amount + given <= ALONE
        note = Note(action=action, amount=amount, alone=alone, state="waits", bill=bill)
        self.notes[self._newest("account_note", "asked_at")] = note
        if alone:
            self._stands(note, "posted", 1)

    def _newest(self, table: str, at: str) -> str:
        """The id of what was kept last."""
        query = f"SELECT id FROM {table} ORDER BY {at} DESC, id DESC LIMIT 1"  # noqa: S608 - constants
        [row] = self.wait(rows(self.db, query))
        return str(row["id"])

    def _stands(self, note: Note, state: str, sign: int) -> None:
        """It is posted, or posted back."""
        note.state = state
        id = next(id for id, one in self.notes.items() if one is note)
        gives = note.action != "refund_credit"
        self._moved(note.bill or f"note:{id}", sign * note.amount * (1 if gives else -1))

    def _of(self, state: str) -> list[str]:
        return sorted(id for id, note in self.notes.items() if note.state == state)

    @precondition(lambda self: self._of("waits"))
    @rule(which=WHICH, agrees=st.booleans())
    def second(self, which: int, agrees: bool) -> None:
        """Another person agrees, if it can still be, or does not."""
        id = self._of("waits")[which % len(self._of("waits"))]
        note = self.notes[id]
        if not agrees:
            self._decided("refuse_note", id, who="bob")
            note.state = "refused"
            return
        left = self._left(note.action, note.bill) if note.bill else self._free
        if left < 0:  # less what waits, of which this is
            self._decided("approve_note", id, who="bob", outcome="refused")
            return
        self._decided("approve_note", id, who="bob")
        self._stands(note, "posted", 1)

    @precondition(lambda self: self._of("posted"))
    @rule(which=WHICH)
    def revert_note(self, which: int) -> None:
        id = self._of("posted")[which % len(self._of("posted"))]
        self._decided("revert_note", id)
        self._stands(self.notes[id], "reverted", -1)
        self._decided("revert_note", id, outcome="refused")

    # What comes in by hand

    @rule(amount=AMOUNT, method=st.sampled_from(["cash", "cheque", "bank_transfer"]))
    def pay_by_hand(self, amount: int, method: str) -> None:
        """A cheque counts once the bank paid it."""
        told = {"method": method, "number": str(next(_numbers)), "paid_on": self.today.isoformat()}
        self._decided("record_payment", self.student, amount=amount, **told)
        id = self._newest("recorded_payment", "recorded_at")
        self.payments[id] = amount, "held" if method == "cheque" else "received"
        if method != "cheque":
            self._moved(f"recorded:{id}", amount)

    @precondition(lambda self: self.payments)
    @rule(which=WHICH)
    def revert_payment(self, which: int) -> None:
        id = sorted(self.payments)[which % len(self.payments)]
        amount, state = self.payments.pop(id)
        self._decided("revert_payment", id)
        self._moved(f"recorded:{id}", -amount if state == "received" else 0)

    @precondition(lambda self: self.bills)
    @rule(which=WHICH, amount=AMOUNT, back=st.booleans())
    def correct(self, which: int, amount: int, back: bool) -> None:
        """A flight was corrected; to less than nothing, where it was credited before."""
        bill = self.bills[which % len(self.bills)]
        flight, moved = bill.removeprefix("flight:"), amount if back else -amount
        told = correct(flight, moved, student=self.student, revision=next(_numbers) + 1)
        self.wait(self.school.say(told))
        self._moved(bill, moved)

    def _compare(self) -> None:
        super()._compare()
        wanted = self._open()
        assert self.wait(open_of(self.db, self.student)) == wanted
        assert sum(wanted.values()) == self.posted


async def test_nobody_is_cleared_beyond_the_limit_and_no_account_beyond_what_was_said(
    db: Database, open_db: OpenDatabase
) -> None:
    await handlers.follow_book(db, [a_school(**POLICY)])
    school = Accounts(open_db, db)

    def machine(loop: asyncio.AbstractEventLoop) -> Accounted:
        return Accounted(loop, school)

    await run_machine(machine, examples=8, steps=30)
