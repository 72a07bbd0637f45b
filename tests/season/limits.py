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
    "raises": "automatic",
    "raise_by": RAISE_BY,
    "raise_up_to": RAISE_UP_TO,
    "raise_after_months": AFTER_MONTHS,
    "raise_after_flights": AFTER_FLIGHTS,
    "late_after_days": LATE_AFTER,
    "falls": "automatic",
    "fall_by": FALL_BY,
    "fall_down_to": FALL_DOWN_TO,
}


@dataclass(slots=True, kw_only=True)
class Moving:
    """One student's limit as it moves."""

    charging: Charging
    begins: date  # the policy's first day
    looked_on: date | None = None

    @property
    def account(self) -> Account:
        return self.charging.account

    def look(self, now: datetime, day: date, flown: list[date]) -> None:
        """Everybody is looked at once a day, and who was set back lately at once."""
        used = {one.cause for one in self.account.moved}
        setbacks = self.charging.setbacks.items()
        lately = [cause for cause, (at, _) in setbacks if cause not in used and at >= now - SEEN]
        if self.looked_on == day and not lately:
            return
        self.looked_on = day
        if not self._falls(now, day, used):
            self._rises(now, day, flown)

    def _falls(self, now: datetime, day: date, used: set[str]) -> bool:
        limit, card = self.account.own(day), self.account.card(day)
        if limit is None or self._fixed(card):
            return True
        risen = max((one.at for one in self.account.moved if one.after > one.before), default=None)
        begins = max(self.begins, card.since if card else date.min, day - RECENT)
        fell = False
        for cause, (at, on) in sorted(self.charging.setbacks.items(), key=lambda one: (one[1], one[0])):
            if cause in used or on < begins or (risen is not None and at <= risen):
                continue
            to = max(limit - FALL_BY, FALL_DOWN_TO)
            if to >= limit:
                break
            self._move(cause, limit, to, now, day)
            limit, fell = to, True
        return fell

    def _rises(self, now: datetime, day: date, flown: list[date]) -> None:
        limit = self.account.own(day)
        if limit is None or limit >= RAISE_UP_TO or self.account.disputed or not self.account.documents:
            return
        known = min(one.due for one in self.account.documents.values()) - TERMS
        days = [known, *self._late(day), *(on for _, on in self.charging.setbacks.values())]
        changed = [one.on for one in self.account.moved]
        since = max([*days, *changed])
        flights = sum(not changed or on > max(changed) for on in flown)
        if _months(since, day) >= AFTER_MONTHS and flights >= AFTER_FLIGHTS:
            self._move(f"rise:{since}", limit, min(limit + RAISE_BY, RAISE_UP_TO), now, day)

    def _move(self, cause: str, before: int, after: int, now: datetime, day: date) -> None:
        said = self.account.said(day)
        self.account.moved.append(Moved(cause=cause, before=before, after=after, on=day, at=now, said=said))

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
