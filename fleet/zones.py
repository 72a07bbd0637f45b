"""Time zones from one source: the pinned tzdata package, on every machine and in every process. Pure.

Python looks into the host's own files first, and those are as old as the host. Governments change rules at
short notice, and two processes that disagree put one flight on two dates. `fleet` imports this module, so
whoever imports anything of ours reads the package. Dates are computed here and handed to SQL: PostgreSQL has
a copy of its own (`hobbs doctor` compares them).
"""

import zoneinfo
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

zoneinfo.reset_tzpath(to=())  # nothing of the host, so the package is all that is left
ZoneInfo.clear_cache()


class UnknownZone(ValueError):
    """There is no such time zone; the message says how one is named."""


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(f"{name!r} is not in the IANA database, such as America/New_York") from None


def local_date(at: datetime, name: str) -> date:
    """The date of an instant in a time zone."""
    return at.astimezone(time_zone(name)).date()


def local_time(at: datetime, name: str) -> datetime:
    """An instant on a time zone's clock, without the zone."""
    return at.astimezone(UTC).astimezone(time_zone(name)).replace(tzinfo=None)


def offset_s(at: datetime, name: str) -> int:
    """Seconds that a time zone is ahead of UTC at an instant."""
    ahead = at.astimezone(UTC).astimezone(time_zone(name)).utcoffset()
    assert ahead is not None, "a ZoneInfo has an offset at every instant"
    return int(ahead.total_seconds())
