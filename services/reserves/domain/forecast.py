"""What can be sent in the next days, hour by hour, and how much is short until when. Pure.

Amounts are minor units of one currency. Transfers go as payouts lets them out: the oldest first, and behind
the oldest that does not fit only exempt ones. What must stay is taken to be what must stay now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

HOURS: Final = 14 * 24
LIKE_WEEKDAYS: Final = 8  # how many weeks of card payments a weekday's median is of


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Money that will be there. expected: it is the pattern of other weeks, and nobody paid it yet."""

    at: datetime
    amount: int
    expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A transfer that waits, or will be made when a payee's period ends."""

    name: str
    wallet: str
    amount: int
    at: datetime
    exempt: bool = False


Timed = TypeVar("Timed", Coming, Due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """When a transfer goes; None: not within these days. short: what was missing for it when it was due."""

    due: Due
    at: datetime | None
    short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """An hour: what came before it, what goes in it, what is free after it, what all that waits lacks."""

    at: datetime
    came: int
    expected: int
    sent: int
    free: int
    waiting: int
    short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """From when until when something waits, and the most that is missing meanwhile; until None: no end."""

    since: datetime
    until: datetime | None
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """top_up: the least that lets everything go when it is due, paid in by `top_up_by`."""

    hours: tuple[Hour, ...]
    runs: tuple[Run, ...]
    shortages: tuple[Shortage, ...]
    top_up: int
    top_up_by: datetime | None

    @property
    def hours_to_shortfall(self) -> int:
        """After how many hours something waits first; all hours when nothing does."""
        return next((n for n, hour in enumerate(self.hours) if hour.short), len(self.hours))


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What is foreseen of a day as it begins: its end's free money, what it sends, what cards pay in it.

    short: the most that is missing at any hour of it.
    """

    currency: str
    day: date
    made_at: datetime
    ends_at: datetime
    free: int
    sent: int
    payments: int
    short: int


def forecast(
    start: datetime, free: int, minimum: int, coming: Sequence[Coming], due: Sequence[Due], hours: int = HOURS
) -> Forecast:
    """Look ahead from `start`. free: what can be sent now; due: in the order in which they were made."""
    money, queue = sorted(coming, key=lambda one: one.at), sorted(due, key=lambda one: one.at)
    waiting: list[Due] = []
    short_of: dict[str, int] = {}
    went: dict[str, datetime] = {}
    seen: list[Hour] = []
    for hour in range(hours):
        at = start + timedelta(hours=hour)
        came, money = _until(at, money)
        begun, queue = _until(at, queue)
        free += sum(one.amount for one in came)
        waiting += begun
        sent = _sent(waiting, free - minimum)
        free -= sum(one.amount for one in sent)
        went |= {one.name: at for one in sent}
        waiting = [one for one in waiting if one.name not in went]
        short_of |= _short(waiting, begun, free - minimum)
        everything = sum(one.amount for one in waiting)
        seen.append(
            Hour(
                at=at,
                came=sum(one.amount for one in came if not one.expected),
                expected=sum(one.amount for one in came if one.expected),
                sent=sum(one.amount for one in sent),
                free=free,
                waiting=everything,
                short=max(everything + minimum - free, 0),
            )
        )
    runs = [Run(due=one, at=went.get(one.name), short=short_of.get(one.name, 0)) for one in due]
    runs.sort(key=lambda run: (run.at is None, run.at or run.due.at))
    most = max(hour.short for hour in seen)
    return Forecast(
        hours=tuple(seen),
        runs=tuple(runs),
        shortages=_shortages(seen),
        top_up=most,
        top_up_by=next((hour.at for hour in seen if hour.short), None),
    )


def of_day(
    ahead: Forecast, usual_payments: Mapping[int, int], currency: str, day: date, ends_at: datetime
) -> Foreseen:
    """What a forecast that was made on this day says of the rest of it. ends_at: the next midnight there."""
    hours = [hour for hour in ahead.hours if hour.at < ends_at]
    return Foreseen(
        currency=currency,
        day=day,
        made_at=hours[0].at,
        ends_at=ends_at,
        free=hours[-1].free,
        sent=sum(hour.sent for hour in hours),
        payments=usual_payments[day.isoweekday()],
        short=max(hour.short for hour in hours),
    )


def _until(at: datetime, things: list[Timed]) -> tuple[list[Timed], list[Timed]]:
    """What is there by then, and the rest; ordered by time."""
    there = [one for one in things if one.at <= at]
    return there, things[len(there) :]


def _sent(waiting: Sequence[Due], room: int) -> list[Due]:
    sent: list[Due] = []
    shut = False
    for one in waiting:
        shut = shut or (one.amount > room and not one.exempt)
        if not shut or one.exempt:
            sent.append(one)
            room -= one.amount
    return sent


def _short(waiting: Sequence[Due], begun: Sequence[Due], room: int) -> dict[str, int]:
    """What those are short of that became due now and wait: all before them goes first."""
    short, before, new = {}, 0, {one.name for one in begun}
    for one in waiting:
        before += one.amount
        if one.name in new:
            short[one.name] = max(before - room, 0)
    return short


def _shortages(hours: Sequence[Hour]) -> tuple[Shortage, ...]:
    found: list[Shortage] = []
    since: datetime | None = None
    most = 0
    for hour in hours:
        if hour.short:
            since, most = since or hour.at, max(most, hour.short)
        elif since is not None:
            found.append(Shortage(since=since, until=hour.at, most=most))
            since, most = None, 0
    if since is not None:
        found.append(Shortage(since=since, until=None, most=most))
    return tuple(found)


def usual(paid: Mapping[date, int], first: date, today: date) -> dict[int, int]:
    """Weekday (Monday: 1) -> the median of what cards paid on the last like weekdays.

    Days without a payment count with nothing, from the first day on of which anything is known.
    """
    found: dict[int, int] = {}
    for back in range(1, 8):
        days = [today - timedelta(days=back + 7 * week) for week in range(LIKE_WEEKDAYS)]
        known = sorted(paid.get(day, 0) for day in days if day >= first)
        # Of two in the middle the lower: nothing is promised that half of the weeks did not bring.
        found[days[0].isoweekday()] = max(known[(len(known) - 1) // 2], 0) if known else 0
    return found
