"""What a cell says: hours with a point or a comma, dates, times; and whether a row is one of totals. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final, Literal

from hobbs.flights.workbook import Number

Decimals = Literal["point", "comma"]
Minutes = Literal["tenths"]  # what hours and minutes become: the nearest tenth of an hour

HOURS: Final = (
    "hobbs_out",
    "hobbs_in",
    "tach_out",
    "tach_in",
    "flight_hours",
    "dual_hours",
    "ground_hours",
)
READINGS: Final = HOURS[:4]
SHOWN_CHARS: Final = 40
BLANKS: Final = " \u00a0\u202f\u2009"
_SPACED: Final = re.compile(
    rf"[+-]?\d{{1,3}}(?P<between>[{BLANKS}'\u2019])\d{{3}}((?P=between)\d{{3}})*([.,]\d+)?", re.ASCII
)
_H_MM: Final = re.compile(r"(\d{1,3}):([0-5]\d)(?::00)?", re.ASCII)
_POINT: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_COMMA: Final = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", re.ASCII)
_TIME: Final = re.compile(
    r"[Tt]?(\d{1,2})[:.hH]?(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*([aApP]\.?[mM]\.?)?\s*(?:Z|z|UTC|utc|GMT|[+-]00:?00)?",
    re.ASCII,
)
_MIDNIGHT: Final = re.compile(r"[ T]00:00(:00(\.0+)?)?Z?")
_TOTALS: Final = re.compile(
    r"(grand |sub[- ]?|page |sheet |daily |monthly |weekly )?(totals?|sums?|averages?)"
    r"( (hours|page|sheet|flights?|for .{1,40}|of .{1,40}))?"
    r"|balance forward|brought forward|carried forward|amount forwarded"
    r"|summe|gesamt|gesamtsumme|zwischensumme|total général|suma|totale|totaal",
    re.IGNORECASE,
)


def joined(number: str) -> str:
    """Without blanks or apostrophes before each three digits; elsewhere they are no thousands."""
    spaced = _SPACED.fullmatch(number)
    return number.replace(spaced["between"], "") if spaced else number


def hours(name: str, written: Any, decimals: Decimals | None, minutes: Minutes | None = None) -> Any:
    """Hours with a point. Raises ValueError when they may mean two numbers, or are written the other way."""
    if not isinstance(written, str) or isinstance(written, Number):
        return written
    text = joined(written.strip())
    shown = f"{name}: {written[:SHOWN_CHARS]!r}"
    if found := _H_MM.fullmatch(text):
        if minutes is None or name in READINGS:
            way_out = (
                "a meter's reading has a decimal" if name in READINGS else "read it with --minutes tenths"
            )
            raise ValueError(f"{shown} is hours and minutes; {way_out}")
        tenths = (int(found[1]) * 60 + int(found[2]) + 3) // 6
        return f"{tenths // 10}.{tenths % 10}"
    if decimals == "comma":
        if not _COMMA.fullmatch(text) or ("." in text and "," not in text):
            raise ValueError(f"{shown} is not a number with a decimal comma (--decimals comma)")
        return text.replace(".", "").replace(",", ".")
    if "," not in text:
        return text
    if _POINT.fullmatch(text) and (decimals == "point" or "." in text):
        return text.replace(",", "")
    if decimals is None and _POINT.fullmatch(text):
        point, comma = text.replace(",", ""), text.replace(",", ".")
        raise ValueError(f"{shown} may mean {point} or {comma}; name --decimals point or --decimals comma")
    if decimals is None and _COMMA.fullmatch(text):
        raise ValueError(f"{shown} has a decimal comma; read the file with --decimals comma")
    raise ValueError(f"{shown} is not a number")


def day(written: Any, date_format: str | None) -> date:
    """A date, by --date-format or as ISO writes it; a midnight behind it is passed over."""
    text = str(written).strip()
    try:
        if date_format:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        pass  # a workbook's own dates come as ISO whatever the format of its texts is
    try:
        return date.fromisoformat(_MIDNIGHT.sub("", text))
    except ValueError:
        wanted = date_format or "YYYY-MM-DD (or name another --date-format)"
        raise ValueError(f"date: {text[:SHOWN_CHARS]!r} is not {wanted}") from None


def clock(name: str, written: Any) -> time | None:
    """A time in UTC: 17:23, 7:05, 17:23:45, 1723, 17.23, 5:23 PM, 17:23Z."""
    if written is None:
        return None
    text = str(written).strip()
    shown = f"{name}: {text[:SHOWN_CHARS]!r}"
    found = _TIME.fullmatch(text)
    if not found:
        if re.search(r"\d[+-]\d{2}:?\d{2}$", text):
            raise ValueError(f"{shown} is not in UTC")
        raise ValueError(f"{shown} is not a time such as 17:23, 17:23:45 or 5:23 PM")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{shown} is not a time: with AM or PM the hour is 1 to 12")
        hour = hour % 12 + (12 if found[4][0] in "pP" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ValueError(f"{shown} is not a time of day") from None


def totals_label(cells: Sequence[str], row: Mapping[str, Any]) -> str | None:
    """What names a row as one of totals: its label, or the first sum of a row with nothing but hours."""
    dated = row.get("date") or row.get("departed_at")
    if dated and row.get("flight_id") and row.get("student"):
        return None
    for cell in cells:
        if _TOTALS.fullmatch(cell.strip().rstrip(":").strip()):
            return cell.strip()
    filled = [name for name in row if row[name]]
    return str(row[filled[0]]) if filled and set(filled) <= set(HOURS) else None
