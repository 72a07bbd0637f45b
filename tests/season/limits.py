"""When a student's limit should rise or fall by the book's policy. Nothing here asks the services.

Written from docs/operations/limits.md and decision 0361. A payment that was declined, bounced or contested
lowers the limit once; months in which nothing was late raise it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.season.accounts import TERMS, Account, Limit, Moved
from tests.season.charges import Charging

RAISE_BY, RAISE_UP_TO, AFTER_MONTHS, AFTER_FLIGHTS, LATE_AFTER = 150_00, 1_400_00, 1, 3, 3
FALL_BY, FALL_DOWN_TO = 100_00, 500_00
RECENT, SEEN = timedelta(days=30), timedelta(days=1)
POLICY = {
    "raise_by": RAISE_BY,
    "raise_up_to": RAISE_UP_TO,
    "raise_after_months": AFTER_MONTHS,
    "raise_after_flights": AFTER_FLIGHTS,
    "late_after_days": LATE_AFTER,
    "fall_by": FALL_BY,
    "fall_down_to": FALL_DOWN_TO,
}


@dataclass(slots=True, kw_only=True)
class Manner:
    """What the book says of a day: whether limits move by themselves. since: the policy's first day."""

    since: date
    raises: str
    falls: str


@dataclass(slots=True, kw_only=True)
class Moving:
    """One student's limit as it moves."""

    charging: Charging
    manner: Manner  # the school's, which all students share
    looked_on: date | None = None

    @property
    def account(self) -> Account:
        return self.charging.account

    @property
    def open(self) -> Moved | None:
        """What waits for a person."""
        return next((one for one in self.account.moved if one.state == "proposed"), None)

    def look(self, now: datetime, day: date, flown: list[date]) -> None:
        """Everybody is looked at once a day, and who was set back lately at once."""
        named = {one.cause for one in self.account.moved}
        setbacks = self.charging.setbacks.items()
        lately = [cause for cause, (at, _) in setbacks if cause not in named and at >= now - SEEN]
        if self.looked_on == day and not lately:
            return
        self.looked_on = day
        waits, found = self.open, self._found(day, flown)
        if waits is not None:
            if self._still(waits, found, day):
                return
            waits.state = "lapsed"
        for one in found:
            if one.alone:
                one.state, one.on, one.at = "in_force", day, now
            self.account.moved.append(one)

    def accept(self, now: datetime, day: date, flown: list[date]) -> bool:
        """A person accepts what waits, if what speaks for it still does."""
        waits = self.open
        if waits is None or not self._still(waits, self._found(day, flown), day):
            return False
        waits.state, waits.on, waits.at = "in_force", day, now
        return True

    def refuse(self, now: datetime, day: date) -> None:
        waits = self.open
        assert waits is not None
        waits.state, waits.on, waits.at = "refused", day, now

    def _still(self, waits: Moved, found: list[Moved], day: date) -> bool:
        """Whether a change that waits would be found again, under the same word of the book."""
        said, card = self.account.said(day)
        if waits.said[0] != said or waits.said[1] is not card:
            return False
        if waits.rises:
            return any((one.cause, one.after) == (waits.cause, waits.after) for one in found)
        still = waits.cause in self.charging.setbacks
        return still and waits.before == self.account.own(day) and not self._fixed(card)

    def _found(self, day: date, flown: list[date]) -> list[Moved]:
        limit, card = self.account.own(day), self.account.card(day)
        if limit is None or self._fixed(card):
            return []
        return self._falls(limit, card, day) or self._rises(limit, day, flown)

    def _falls(self, limit: int, card: Limit | None, day: date) -> list[Moved]:
        used = {one.cause for one in self.account.moved if one.state != "lapsed"}
        risen = max(
            (one.at for one in self.account.moved if one.rises and one.state == "in_force" and one.at),
            default=None,
        )
        begins = max(self.manner.since, card.since if card else date.min, day - RECENT)
        found: list[Moved] = []
        for cause, (at, on) in sorted(self.charging.setbacks.items(), key=lambda one: (one[1], one[0])):
            if cause in used or on < begins or (risen is not None and at <= risen):
                continue
            to = max(limit - FALL_BY, FALL_DOWN_TO)
            if to >= limit:
                break
            found.append(self._move(cause, limit, to, day, self.manner.falls))
            if not found[-1].alone:
                break
            limit = to
        return found

    def _rises(self, limit: int, day: date, flown: list[date]) -> list[Moved]:
        if limit >= RAISE_UP_TO or self.account.disputed or not self.account.documents:
            return []
        known = min(one.due for one in self.account.documents.values()) - TERMS
        days = [known, *self._late(day), *(on for _, on in self.charging.setbacks.values())]
        changed = [one.on for one in self.account.moved if one.on is not None]
        since = max([*days, *changed])
        flights = sum(not changed or on > max(changed) for on in flown)
        if _months(since, day) < AFTER_MONTHS or flights < AFTER_FLIGHTS:
            return []
        to = min(limit + RAISE_BY, RAISE_UP_TO)
        return [self._move(f"rise:{since}", limit, to, day, self.manner.raises)]

    def _move(self, cause: str, before: int, after: int, day: date, manner: str) -> Moved:
        said, alone = self.account.said(day), manner == "automatic"
        return Moved(cause=cause, before=before, after=after, said=said, alone=alone, state="proposed")

    def _fixed(self, card: Limit | None) -> bool:
        return card is not None and (card.frozen or card.until is not None)

    def _late(self, day: date) -> list[date]:
        """The days on which more had been due for longer than it may be than was paid by then."""
        documents = self.account.documents.values()
        first = min(one.due for one in documents) - TERMS
        found = []
        for n in range((day - first).days + 1):
            on = first + timedelta(days=n)
            due = -sum(min(one.amount, 0) for one in documents if one.due + timedelta(days=LATE_AFTER) < on)
            paid = sum(max(one.amount, 0) for one in documents if one.due - TERMS <= on)
            if due > paid:
                found.append(on)
        return found[-1:]


def _months(since: date, day: date) -> int:
    months = (day.year - since.year) * 12 + day.month - since.month
    ends = (day + timedelta(days=1)).day == 1
    return months if day.day >= since.day or ends else months - 1
