"""What a season has come to, its time, and what its acts share."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final

from fleet.zones import local_time
from services.receivables.desk import decisions
from tests.season.asking import Asking
from tests.season.charges import Charging
from tests.season.limits import Manner
from tests.season.stage import Stage

ZONE: Final = "America/New_York"
DAY: Final = timedelta(days=1)
EXPIRES: Final = timedelta(days=14)  # a correction that nobody decides about


@dataclass(slots=True, kw_only=True)
class Flight:
    """One flight: what was planned or flown, and by whom."""

    id: str
    student: str
    hours: int
    dual: bool
    day: date
    revision: int = 0
    flown: bool = False
    asked: int | None = None  # of a correction that waits: the hours, 0 if it is cancelled
    asked_at: datetime | None = None
    struck: bool = False  # what was last told of it is that it was not flown

    @property
    def counts(self) -> bool:
        """As a flight after which a limit may rise."""
        return not self.struck


@dataclass(slots=True, kw_only=True)
class Paid:
    """A payment by link that a bank may take back. charge: Stripe's id."""

    charge: str
    document: str
    student: str
    amount: int


@dataclass(kw_only=True)
class Played:
    """What a season has come to: on the stage, and in the books beside it."""

    stage: Stage
    chance: random.Random
    holidays: frozenset[date]
    manner: Manner
    careful: set[str] = field(default_factory=set)  # students who pay by hand, and in time
    versions: int = 1
    students: dict[str, Asking] = field(default_factory=dict)
    flights: dict[str, Flight] = field(default_factory=dict)
    by_hand: dict[str, tuple[str, int]] = field(default_factory=dict)  # student and amount, by id
    cheques: set[str] = field(default_factory=set)
    paid: list[Paid] = field(default_factory=list)
    links: list[tuple[str, int]] = field(default_factory=list)  # student and amount
    contested: set[str] = field(default_factory=set)
    of_dispute: dict[str, str] = field(default_factory=dict)  # the document that each is about
    differences: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))

    # Time

    @property
    def now(self) -> datetime:
        return self.stage.clock()

    @property
    def local(self) -> datetime:
        return local_time(self.now, ZONE)

    @property
    def day(self) -> date:
        return self.local.date()

    async def at(self, moment: datetime) -> None:
        """Go on to an instant; banks answer."""
        await self.stage.at(moment)
        for one in self.students.values():
            one.charging.bank_answers(self.now, self.day)

    async def timers(self) -> None:
        await self.stage.timers()
        now, day, local = self.now, self.day, self.local
        for flight in self.flights.values():
            if flight.asked_at is not None and flight.asked_at + EXPIRES <= now:
                del self.students[flight.student].charging.account.in_question[flight.id]
                flight.asked = flight.asked_at = None
        for one in self.students.values():
            holds = one.charging.account.holds
            for held in [name for name, hold in holds.items() if hold.ends <= now]:
                del holds[held]
            self._charge(one.charging, now, day)
            one.look(local, now)
            self._charge(one.charging, now, day)
            one.moving.look(now, day, self._flown_on(one))

    def _flown_on(self, one: Asking) -> list[date]:
        """The days of flights after which a limit may rise."""
        return [flight.day for flight in self._flights(one, flown=True) if flight.counts]

    def _charge(self, charging: Charging, now: datetime, day: date) -> None:
        while (charge := charging.due(now, day)) is not None:
            charging.made(charge, f"charge:{charging.account.name}:{charge.cause}", now, day)

    def _expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.differences.append(f"{self.local:%m-%d %H:%M} {what}: {found}, expected {wanted}")

    async def _decide(self, action: str, about: str, wanted: bool = True, **told: Any) -> str:
        """A person decides something of receivables; the id."""
        id, ruling = await self.stage.decide(decisions, action, about, **told)
        if ruling.done != wanted:
            self._expect(f"{action} {about} {told}", ruling.sentence, "done" if wanted else "refused")
        return str(id)

    def _flights(self, one: Asking, *, flown: bool) -> list[Flight]:
        name = one.charging.account.name
        return [
            flight for flight in self.flights.values() if flight.student == name and flight.flown == flown
        ]
