"""Saved methods, payments, and what banks take back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fleet.zones import local_date
from services.ledger.desk import openings
from tests.season.asking import Asking
from tests.season.charges import CARDS, DEBITS, Choice, Method
from tests.season.played import ZONE, Paid, Played
from tests.season.school import CHEQUE_FEE

ACCEPTED: Final = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "203.0.113.7", "user_agent": "a browser"},
    }
}


class Banking(Played):
    """Each act says whether it could be done."""

    async def save_method(self, one: Asking) -> bool:
        debit = self.chance.random() < 0.35
        kinds = list(DEBITS if debit else CARDS)
        return await self._save(one, debit, self.chance.choices(kinds, [6, *[1] * (len(kinds) - 1)])[0])

    async def begin_declined(self, one: Asking) -> bool:
        """A card that is declined for a while, charged after each flight: it is tried again after a day."""
        await self._choose(one, "each_flight", 5_000_00)
        return await self._save(one, False, "chargeDeclined")

    async def _save(self, one: Asking, debit: bool, says: str) -> bool:
        method = self._set_up(one.charging.account.name, debit)
        if says not in ("visa", "success"):
            self._bank_says(method, debit, says)
        one.charging.methods.append(
            Method(id=method, is_debit=debit, says=(DEBITS if debit else CARDS)[says], since=self.now)
        )
        self.stage.work_waits = True
        await self.stage.settle()
        return True

    def _set_up(self, student: str, debit: bool) -> str:
        """Save a method at Stripe as its own page does; the method."""
        v1 = self.stage.stripe.v1
        customer = v1.customers.create({})
        kept: Any = {
            "customer": customer.id,
            "payment_method": "pm_usBankAccount_success" if debit else "pm_card_visa",
            "confirm": True,
            "usage": "off_session",
            "allowed_payment_method_types": ["us_bank_account" if debit else "card"],
            "metadata": {"hobbs_student": student},
        }
        intent = v1.setup_intents.create(kept | ({"mandate_data": ACCEPTED} if debit else {}))
        if debit:
            v1.setup_intents.verify_microdeposits(intent.id, {"amounts": [32, 45]})
        return str(intent.payment_method)

    def _bank_says(self, method: str, debit: bool, says: str) -> None:
        fields = {"_outcome": says} if debit else {"_card": says}
        self.stage.world.control.trigger("object.changed", object=method, fields=fields)

    async def bank_changes_its_mind(self, one: Asking) -> bool:
        """Money came to a card that had none, or a good one is lost."""
        if not one.charging.methods:
            return False
        method = self.chance.choice(one.charging.methods)
        kinds = DEBITS if method.is_debit else CARDS
        good = "success" if method.is_debit else "visa"
        says = good if kinds[good] != method.says else self.chance.choice(sorted(kinds))
        self._bank_says(method.id, method.is_debit, says)
        for charge in one.charging.charges:  # what is under way ends as it began
            if charge.state == "processing" and charge.method is method:
                return self._undo_bank(method, kinds)
        method.says = kinds[says]
        return True

    def _undo_bank(self, method: Method, kinds: Mapping[str, str]) -> bool:
        says = next(name for name, kind in kinds.items() if kind == method.says)
        self._bank_says(method.id, method.is_debit, says)
        return False

    async def choose(self, one: Asking) -> bool:
        occasion = self.chance.choice(["each_flight"] * 4 + ["threshold"] * 2 + ["day", "off"])
        return await self._choose(one, occasion, self.chance.choice([300_00, 900_00, 5_000_00]))

    async def _choose(self, one: Asking, occasion: str, most: int) -> bool:
        choice = Choice(
            occasion=occasion,
            threshold=self.chance.choice([100_00, 500_00]),
            day=self.chance.choice([1, 5, 15, 28]),
            most=most,
            most_a_day=most * self.chance.choice([1, 2]),
            at=self.now,
            on=self.day,
        )
        told: dict[str, Any] = {"occasion": occasion, "most": most, "most_a_day": choice.most_a_day}
        told |= {"threshold": choice.threshold} if occasion == "threshold" else {}
        told |= {"day": choice.day} if occasion == "day" else {}
        await self._decide("choose_charges", one.charging.account.name, **told)
        one.charging.choice = choice
        return True

    async def begin_known(self, one: Asking, since: datetime) -> None:
        """A credit that other software kept, of a student who pays in time ever since."""
        account, day = one.charging.account, local_date(since, ZONE)
        lines: Any = [["student_balance", account.name, "", "USD", 1_00], ["bank", "", "", "USD", 1_00]]
        told: dict[str, Any] = {"as_of": day.isoformat(), "occurred_at": since.isoformat(), "lines": lines}
        _, ruling = await self.stage.decide(openings, "load_opening", f"opening:{day}", **told)
        self._expect(f"load the opening of {account.name}", ruling.done, True)
        account.post(f"opening:{account.name}", 1_00, day)
        self.careful.add(account.name)

    async def pay_in_full(self, one: Asking) -> bool:
        owed = -one.charging.account.balance
        return owed > 0 and await self._pay(one, owed, "cash")

    async def pay(self, one: Asking) -> bool:
        """By hand, of what is owed or of any amount."""
        owed = -one.charging.account.balance
        amount = max(owed, 100) if self.chance.random() < 0.5 else self.chance.randint(1_00, 600_00)
        return await self._pay(one, amount, self.chance.choice(["cash", "bank_transfer", "cheque", "cheque"]))

    async def _pay(self, one: Asking, amount: int, method: str) -> bool:
        account, number = one.charging.account, f"R{next(self.numbers)}"
        told: dict[str, Any] = {
            "method": method,
            "number": number,
            "paid_on": self.day.isoformat(),
            "amount": amount,
        }
        bills = sorted(
            name for name, left in account.open().items() if left < 0 and name.startswith("flight:")
        )
        bill = self.chance.choice(bills) if bills and self.chance.random() < 0.4 else ""
        told |= {"bill": bill.removeprefix("flight:")} if bill else {}
        id = await self._decide("record_payment", account.name, **told)
        account.post(f"recorded:{id}", amount, self.day)
        if bill:
            account.named[f"recorded:{id}"] = bill
        self.by_hand[id] = account.name, amount
        if method == "cheque":
            self.cheques.add(id)
        return True

    async def bounce(self, one: Asking) -> bool:
        """The bank returns a cheque that was brought to it, and the school charges its fee."""
        account = one.charging.account
        mine = sorted(id for id in self.cheques & self.by_hand.keys() if self.by_hand[id][0] == account.name)
        if not mine:
            return False
        id = self.chance.choice(mine)
        self.cheques.remove(id)
        _, amount = self.by_hand.pop(id)
        slip = f"S{next(self.numbers)}"
        await self._decide("deposit_payments", slip, deposited_on=self.day.isoformat(), payments=[id])
        await self._decide("bounce_cheque", id)
        account.post(f"recorded:{id}", -amount, self.day)
        one.charging.setbacks[f"bounced:{id}"] = self.now, self.day
        fee = await self.stage.owner.fetchval(
            "SELECT id::text FROM receivables.account_note WHERE payment_id = $1::uuid", id
        )
        account.post(f"note:{fee}", -CHEQUE_FEE, self.day)
        return True

    async def give_back(self, one: Asking) -> bool:
        """Somebody refunds a payment by link at Stripe, in part or whole."""
        account = one.charging.account
        mine = [paid for paid in self.paid if paid.student == account.name]
        if not mine:
            return False
        paid = self.chance.choice(mine)
        self.paid.remove(paid)
        amount = paid.amount if self.chance.random() < 0.5 else self.chance.randint(1, paid.amount)
        self.stage.stripe.v1.refunds.create({"charge": paid.charge, "amount": amount})
        self.stage.work_waits = True
        await self.stage.settle()
        account.post(paid.document, -amount, self.day)
        return True

    async def revert_payment(self, one: Asking) -> bool:
        mine = [id for id, (student, _) in self.by_hand.items() if student == one.charging.account.name]
        if not mine:
            return False
        id = self.chance.choice(mine)
        _, amount = self.by_hand.pop(id)
        await self._decide("revert_payment", id)
        one.charging.account.post(f"recorded:{id}", -amount, self.day)
        return True

    async def pay_by_link(self, one: Asking) -> bool:
        """A payment on Stripe's page, which no saved method makes."""
        account = one.charging.account
        amount = self.chance.randint(50_00, 500_00)
        control = self.stage.world.control
        intent = control.trigger("payment_intent.succeeded", student=account.name, amount=amount)
        charge = str(intent["latest_charge"])
        self.stage.work_waits = True
        await self.stage.settle()
        account.post(f"charge:{charge}", amount, self.day)
        self.links.append((account.name, amount))
        self.paid.append(
            Paid(charge=charge, document=f"charge:{charge}", student=account.name, amount=amount)
        )
        return True

    async def dispute(self, one: Asking) -> bool:
        """Contest a payment by card, or have a bank return a debit that it had paid."""
        account, charging = one.charging.account, one.charging
        auto = [charge for charge in charging.charges if charge.state == "succeeded"]
        mine = [paid for paid in self.paid if paid.student == account.name]
        if not auto and not mine:
            return False
        which = self.chance.randrange(len(auto) + len(mine))
        if which >= len(auto):
            paid = mine[which - len(auto)]
            self.paid.remove(paid)
            return await self._contest(one, paid.charge, paid.amount, paid.document)
        charge = auto[which]
        id = await self.stage.owner.fetchval(
            "SELECT charge_id FROM receivables.auto_charge WHERE student = $1 AND cause = $2",
            account.name,
            charge.cause,
        )
        if charge.document in self.contested:
            return False
        self.contested.add(charge.document)
        if not charge.method.is_debit:
            charge.contested = True
            return await self._contest(one, id, charge.amount, charge.document)
        reason, kind = self.chance.choice(
            [
                ("debit_not_authorized", "stop"),
                ("incorrect_account_details", "another_card"),
                ("insufficient_funds", "payday"),
            ]
        )
        self.stage.world.control.trigger("charge.dispute.created", charge=id, reason=reason)
        self.stage.work_waits = True
        await self.stage.settle()
        charging.taken_back(charge, kind, self.now, self.day)
        return True

    async def _contest(self, one: Asking, charge: str, amount: int, document: str) -> bool:
        told = self.stage.world.control.trigger("charge.dispute.created", charge=charge)
        self.stage.work_waits = True
        await self.stage.settle()
        one.charging.account.disputed[str(told["id"])] = amount
        one.charging.setbacks[f"disputed:{told['id']}"] = self.now, self.day
        self.of_dispute[str(told["id"])] = document
        return True

    async def decide_dispute(self, one: Asking) -> bool:
        account, charging = one.charging.account, one.charging
        if not account.disputed:
            return False
        id = self.chance.choice(sorted(account.disputed))
        amount, document = account.disputed.pop(id), self.of_dispute[id]
        won = self.chance.random() < 0.5
        self.stage.world.control.trigger("charge.dispute.closed", dispute=id, won=won)
        self.stage.work_waits = True
        await self.stage.settle()
        auto = [charge for charge in charging.charges if charge.document == document]
        if won:
            del charging.setbacks[f"disputed:{id}"]
        if not won and auto:
            charging.taken_back(auto[0], "stop", self.now, self.day)
        elif not won:
            account.post(document, -amount, self.day)
        return True
