"""What people of the school decide: limits, allowances, what is given, what is said of what is overdue."""

from datetime import timedelta
from typing import Any

from tests.integration.billing.given import configured
from tests.season.accounts import Account, Limit, Note
from tests.season.asking import Asking
from tests.season.played import DAY, Played
from tests.season.school import ALONE, OTHER, credit_card


class Deciding(Played):
    """Each act says whether it could be done."""

    async def change_limit(self, one: Asking) -> bool:
        """A limit of their own: for some days or for good, frozen or not."""
        card = Limit(
            since=self.day,
            amount=self.chance.choice([None, 0, 300_00, 1_500_00, 3_000_00]),
            frozen=self.chance.random() < 0.2,
            until=self.day + DAY * self.chance.randint(0, 5) if self.chance.random() < 0.7 else None,
        )
        self.versions += 1
        change = {
            "kind": "credit_limit",
            "key": one.charging.account.name,
            "effective_from": card.since.isoformat(),
            "new": {
                "limit": card.amount,
                "frozen": card.frozen,
                "until": card.until and card.until.isoformat(),
            },
        }
        await self.stage.say(configured(self.versions, [change]))
        limits = one.charging.account.limits
        limits[:] = [*(other for other in limits if other.since != card.since), card]
        return True

    async def change_manner(self) -> None:
        """The book has limits move by themselves where a person was asked, and the other way round."""
        manner = self.manner
        manner.since = self.day
        manner.raises, manner.falls = OTHER[manner.raises], OTHER[manner.falls]
        self.versions += 1
        change = {
            "kind": "credit",
            "key": "credit",
            "effective_from": self.day.isoformat(),
            "new": credit_card(manner, self.holidays),
        }
        await self.stage.say(configured(self.versions, [change]))

    async def decide_limit(self, one: Asking) -> bool:
        """Accept or refuse what the policy proposed; what no longer holds cannot be accepted."""
        waits = one.moving.open
        if waits is None:
            return False
        id = await self.stage.owner.fetchval(
            "SELECT id::text FROM receivables.limit_change WHERE student = $1 AND state = 'proposed'",
            one.charging.account.name,
        )
        if id is None:
            self._expect(f"what waits for {one.charging.account.name}", None, waits)
            return True
        if self.chance.random() < 0.2:
            await self._decide("refuse_limit", id)
            one.moving.refuse(self.now, self.day)
        else:
            wanted = one.moving.accept(self.now, self.day, self._flown_on(one))
            await self._decide("accept_limit", id, wanted=wanted)
        return True

    async def allow(self, one: Asking) -> bool:
        planned = self._flights(one, flown=False)
        if not planned:
            return False
        flight, amount = self.chance.choice(planned), self.chance.choice([50_00, 400_00])
        until = self.now + timedelta(hours=self.chance.choice([2, 20, 50]))
        name = one.charging.account.name
        await self._decide("allow_flight", flight.id, student=name, amount=amount, until=until.isoformat())
        one.charging.account.allowed.setdefault(flight.id, []).append((amount, until))
        return True

    async def give(self, one: Asking) -> bool:
        """A credit note, a write-off or a refund, within or beyond what it may be."""
        account = one.charging.account
        bills = [name for name in account.documents if name.startswith("flight:")]
        kind = self.chance.choice(["credit_bill", "write_off_bill", "refund_credit"])
        if kind == "refund_credit":
            bill, about = "", account.name
            told: dict[str, Any] = {"way": "cash", "number": f"P{next(self.numbers)}"}
            told["paid_on"] = self.day.isoformat()
        elif bills:
            bill = self.chance.choice(sorted(bills))
            about, told = bill.removeprefix("flight:"), {}
        else:
            return False
        most = account.most(kind, bill)
        amount = (
            max(min(most, 900_00), 1) if self.chance.random() < 0.5 else self.chance.randint(1_00, 700_00)
        )
        fits = amount <= most and (not bill or account.documents[bill].amount < 0)
        id = await self._decide(kind, about, wanted=fits, amount=amount, **told)
        if fits:
            given = sum(
                note.amount
                for note in account.notes.values()
                if note.alone and note.state == "posted" and self.now - note.at < DAY
            )
            alone = given + amount <= ALONE
            note = Note(kind=kind, amount=amount, bill=bill, at=self.now, alone=alone, state="waits")
            account.notes[id] = note
            if alone:
                self._given(account, id, note)
        return True

    def _given(self, account: Account, id: str, note: Note) -> None:
        note.state = "posted"
        gives = 1 if note.bill else -1
        account.post(note.bill or f"note:{id}", gives * note.amount, self.day)

    async def second_person(self, one: Asking) -> bool:
        account = one.charging.account
        waiting = sorted(id for id, note in account.notes.items() if note.state == "waits")
        if not waiting:
            return False
        id = self.chance.choice(waiting)
        note = account.notes[id]
        if self.chance.random() < 0.3:
            await self._decide("refuse_note", id, who="bob")
            note.state = "refused"
        elif account.most(note.kind, note.bill) >= 0:  # it is promised already
            await self._decide("approve_note", id, who="bob")
            self._given(account, id, note)
        else:
            await self._decide("approve_note", id, wanted=False, who="bob")
        return True

    async def promise(self, one: Asking) -> bool:
        name, until = one.charging.account.name, self.day + DAY * self.chance.randint(0, 5)
        owes = sum(one.charging.account.overdue(self.day).values()) > 0
        again = one.hold == "promised" and one.until == until
        wanted = owes and one.hold != "paused" and not again
        await self._decide("promise_payment", name, wanted=wanted, until=until.isoformat())
        if wanted:
            one.hold_on("promised", until)
        return True

    async def pause(self, one: Asking) -> bool:
        wanted = one.hold != "paused"
        await self._decide("pause_dunning", one.charging.account.name, wanted=wanted)
        if wanted:
            one.hold_on("paused")
        return True

    async def resume(self, one: Asking) -> bool:
        wanted = bool(one.hold)
        await self._decide("resume_dunning", one.charging.account.name, wanted=wanted)
        one.hold_on("")
        return True
