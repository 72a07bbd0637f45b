"""Instants as the school's people read them: in the school's zone, which is named. Pure."""

from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from fleet.zones import time_zone

_FIRST, _LAST = date(1970, 1, 2), date(9998, 12, 30)


def shown_instant(at: datetime | None, zone: str) -> str:
    """2026-05-22 14:03 EDT; empty for None."""
    return at.astimezone(time_zone(zone)).strftime("%Y-%m-%d %H:%M %Z") if at else ""


def shown_moment(at: datetime, zone: str) -> str:
    """The same to the second: 2026-05-22 14:03:07 EDT."""
    return at.astimezone(time_zone(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def begin_of_day(day: date, zone: str) -> datetime:
    """The first instant of a day in a zone; days that no clock shows become the nearest that one does."""
    day = min(max(day, _FIRST), _LAST)
    return datetime.combine(day, time_of_day(), time_zone(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The first instant after a day in a zone."""
    return begin_of_day(min(day, _LAST) + timedelta(days=1), zone)


def next_month(first: date) -> date:
    """The first day of the month after the one that begins on this day."""
    return (first + timedelta(days=31)).replace(day=1)


def span(begin: datetime | None, end: datetime | None) -> str:
    """How long from one instant to another, in its two largest units: 3 d 4 h, 5 h 20 min."""
    if begin is None or end is None:
        return ""
    minutes = max(0, int((end - begin).total_seconds()) // 60)
    days, hours = minutes // 1440, minutes // 60
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def waited(begin: datetime | None, end: datetime) -> str:
    """How long something has waited: the seconds below a minute, then as `span`; empty when nothing waits."""
    if begin is None:
        return ""
    seconds = max(0, int((end - begin).total_seconds()))
    return f"{seconds} s" if seconds < 60 else span(begin, end)
