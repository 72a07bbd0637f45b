"""Flights of a season: dispatched, changed, called off, flown, corrected, cancelled."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.adjustments.desk import decisions
from tests.integration.billing.given import cancelled, completed, corrected
from tests.integration.receivables.test_dispatches import dispatched
from tests.season.accounts import HOLD_FOR, Hold, price, with_margin
from tests.season.asking import Asking
from tests.season.played import Flight, Played


class Flying(Played):
    """Each act says whether it could be done."""

    async def dispatch(self, one: Asking) -> bool:
        flight = Flight(
            id=f"D{next(self.numbers)}",
            student=one.charging.account.name,
            hours=0,
            dual=False,
            day=self.day,
        )
        self.flights[flight.id] = flight
        return await self._dispatch(flight)

    async def dispatch_again(self, one: Asking) -> bool:
        planned = [flight for flight in self._flights(one, flown=False) if flight.revision]
        return bool(planned) and await self._dispatch(self.chance.choice(planned))

    async def _dispatch(self, flight: Flight) -> bool:
        account = self.students[flight.student].charging.account
        flight.revision += 1
        flight.hours, flight.dual = self.chance.randint(1, 4), self.chance.random() < 0.5
        departs = self.now + timedelta(hours=1)
        wanted = account.answer(flight.id, flight.hours, self.now, self.day, dual=flight.dual)
        planned: dict[str, Any] = {"student": flight.student, "departs_at": departs}
        if flight.dual:
            planned |= {"instructor": "instructor-01", "dual_hours": f"{flight.hours}.0"}
        await self.stage.say(dispatched(flight.id, flight.revision, f"{flight.hours}.0", **planned))
        if wanted == "cleared":
            amount = with_margin(price(flight.hours, dual=flight.dual))
            ends = departs + timedelta(hours=flight.hours) + HOLD_FOR
            account.holds[flight.id] = Hold(amount=amount, ends=ends)
        found = await self.stage.owner.fetchval(
            "SELECT coalesce(reason, state) FROM receivables.dispatch WHERE flight_id = $1 AND revision = $2",
            flight.id,
            flight.revision,
        )
        self._expect(f"dispatch {flight}", found, wanted)
        return True

    async def call_off(self, one: Asking) -> bool:
        planned = self._flights(one, flown=False)
        if not planned:
            return False
        flight = self.chance.choice(planned)
        del self.flights[flight.id]
        one.charging.account.holds.pop(flight.id, None)
        await self.stage.say(cancelled(1, flight_id=flight.id))
        return True

    async def fly(self, one: Asking) -> bool:
        """What was planned, or what nobody dispatched."""
        name, planned = one.charging.account.name, self._flights(one, flown=False)
        if planned and self.chance.random() < 0.8:
            flight = self.chance.choice(planned)
        else:
            flight = Flight(id=f"X{next(self.numbers)}", student=name, hours=0, dual=False, day=self.day)
            self.flights[flight.id] = flight
        flight.flown, flight.revision, flight.day = True, 1, self.day
        flight.hours, flight.dual = self.chance.randint(1, 4), self.chance.random() < 0.5
        await self.stage.say(completed(**self._flown(flight, flight.hours)))
        one.charging.account.holds.pop(flight.id, None)
        one.charging.account.post(f"flight:{flight.id}", -price(flight.hours, dual=flight.dual), self.day)
        one.charging.flights.append((self.now, flight.id))
        return True

    def _flown(self, flight: Flight, hours: int) -> Mapping[str, Any]:
        dual = {"instructor": "instructor-01", "dual_hours": f"{hours}.0", "ground_hours": "0"}
        solo = {"instructor": None, "dual_hours": "0", "ground_hours": "0"}
        landed = datetime.combine(flight.day, datetime.min.time(), self.now.tzinfo) + timedelta(hours=14)
        return {
            "flight_id": flight.id,
            "student": flight.student,
            "date": flight.day.isoformat(),
            "departed_at": (landed - timedelta(hours=hours)).isoformat(),
            "arrived_at": landed.isoformat(),
            "hobbs_out": None,
            "hobbs_in": None,
            "flight_hours": f"{hours}.0",
            **(dual if flight.dual else solo),
        }

    async def correct(self, one: Asking) -> bool:
        """Correct or cancel a flight that was billed: somebody else approves it, later."""
        free = [flight for flight in self._flights(one, flown=True) if flight.asked is None and flight.hours]
        if not free:
            return False
        flight = self.chance.choice(free)
        flight.revision += 1
        hours = self.chance.choice([0, 0, *(n for n in (1, 2, 3, 4) if n != flight.hours)])
        if hours:
            await self.stage.say(corrected(flight.revision, **self._flown(flight, hours)))
        else:
            await self.stage.say(cancelled(flight.revision, flight_id=flight.id))
        flight.asked, flight.asked_at, flight.struck = hours, self.now, not hours
        was = price(flight.hours, dual=flight.dual)
        one.charging.account.in_question[flight.id] = was - price(hours, dual=flight.dual)
        return True

    async def approve(self, one: Asking) -> bool:
        """Or reject it."""
        waiting = [flight for flight in self._flights(one, flown=True) if flight.asked is not None]
        if not waiting:
            return False
        flight, account = self.chance.choice(waiting), one.charging.account
        back = account.in_question.pop(flight.id)
        name, rejects = f"{flight.id}:{flight.revision}", self.chance.random() < 0.25
        for who in ("bob",) if rejects or abs(back) <= 500_00 else ("bob", "carl"):
            _, ruling = await self.stage.decide(decisions, "reject" if rejects else "approve", name, who=who)
            self._expect(f"{who} about {name}", ruling.sentence if not ruling.done else "", "")
        if not rejects:
            account.post(f"flight:{flight.id}", back, self.day)
            flight.hours = flight.asked or 0
        flight.asked = flight.asked_at = None
        return True
