"""When a student should be asked for what is overdue. Written from docs/operations/dunning.md."""

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.season.charges import Charging
from tests.season.limits import Moving

STEPS = (
    ("first", 2, 0, "remind"),
    ("card", 4, 0, "charge_card"),
    ("large", 0, 600_00, "call"),
    ("block", 7, 0, "block_dispatch"),
    ("last", 15, 0, "collection"),
)
BETWEEN = 2
MINIMUM = 20_00
FROM, UNTIL = 9, 18


@dataclass(slots=True, kw_only=True)
class Asking:
    """One student's runs."""

    charging: Charging
    moving: Moving
    holidays: frozenset[date]
    run: int = 0
    is_open: bool = False
    done: list[tuple[str, date]] = field(default_factory=list)  # of the open run
    stepped: date | None = None
    hold: str = ""
    until: date | None = None
    told: list[tuple[int, str, int]] = field(default_factory=list)  # run, step, total

    def look(self, local: datetime, now: datetime) -> None:
        """What the timer does at a time of the school's clock."""
        day, account = local.date(), self.charging.account
        total = sum(account.overdue(day).values())
        if self.hold == "promised" and self.until is not None and self.until < day:
            self.hold, self.until = "", None
        if total == 0:
            if self.is_open:
                self._end()
        elif not self._quiet(local) and self.stepped != day:
            if not self.is_open:
                self.run, self.is_open, self.stepped = self.run + 1, True, None
                self.done = []
            self._step(local, now, total)
        self._say()

    def _end(self) -> None:
        self.is_open, self.done, self.stepped = False, [], None
        if self.hold == "promised":
            self.hold, self.until = "", None

    def _quiet(self, local: datetime) -> bool:
        return local.date() in self.holidays or local.isoweekday() >= 6 or not FROM <= local.hour < UNTIL

    def _step(self, local: datetime, now: datetime, total: int) -> None:
        day, account = local.date(), self.charging.account
        if self.hold or account.disputed or account.in_question or self.charging.under_way or total < MINIMUM:
            return
        if any((day - on).days < BETWEEN for _, on in self.done):
            return
        names = [name for name, *_ in STEPS]
        passed = max((names.index(step) for step, _ in self.done), default=-1)
        oldest = min(account.documents[name].due for name in account.overdue(day))
        for name, days, balance, action in STEPS[passed + 1 :]:
            if action == "charge_card" and not self.charging.chargeable(now):
                continue
            if (day - oldest).days >= days and total >= balance:
                self.done.append((name, day))
                self.told.append((self.run, name, total))
                self.stepped = day
                return

    def _say(self) -> None:
        """What else goes by it: whether dispatches are refused, and what is to be charged."""
        steps = {name for name, _ in self.done} if self.is_open else set()
        self.charging.account.blocked = "block" in steps and self.hold != "paused"
        asks = self.is_open and not self.hold and "card" in steps
        self.charging.asks = f"dunning:{self.run}:card" if asks else ""

    def hold_on(self, hold: str, until: date | None = None) -> None:
        self.hold, self.until = hold, until
        self._say()
