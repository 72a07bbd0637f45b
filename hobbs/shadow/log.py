"""Notes each comparison in a file, and signs it off after enough days without an open difference."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from hobbs.shadow.report import Report


class LogUnreadable(ValueError):
    """A line of the log is none of ours; the sentence says which."""


class Said(NamedTuple):
    """Whether the comparison was signed, and why not."""

    signed: bool
    sentence: str


def note(path: Path, report: Report, *, faulty: int, now: datetime) -> None:
    """Add what a comparison found. A row that could not be read counts as open: nobody knows what it says."""
    _append(
        path,
        {
            "what": "compared",
            "at": now.isoformat(),
            "flights": report.flights,
            "open": report.open + faulty,
            "accepted": dict(report.accepted),
        },
    )


def signed(path: Path, *, days: int, now: datetime, who: str, why: str) -> Said:
    """Sign when each of the last days, today included, has a run, and its last one nothing open."""
    last: dict[date, int] = {}
    for line in _lines(path):
        if line["what"] == "compared" and line["flights"]:
            last[datetime.fromisoformat(line["at"]).astimezone(UTC).date()] = line["open"]
    wanted = [now.date() - timedelta(days=n) for n in reversed(range(days))]
    if without := [day for day in wanted if day not in last]:
        return Said(
            False, f"not signed: {without[0]} has no comparison, and {len(without)} of {days} days have none"
        )
    if open_on := [day for day in wanted if last[day]]:
        return Said(False, f"not signed: {last[open_on[-1]]} differences were open on {open_on[-1]}")
    _append(path, {"what": "signed", "at": now.isoformat(), "days": days, "who": who, "why": why})
    return Said(True, f"signed by {who}: no difference was open for {days} days")


def last_signature(path: Path) -> dict[str, Any] | None:
    """The newest signature; None when nobody signed, or a later comparison found something open."""
    found: dict[str, Any] | None = None
    for line in _lines(path):
        if line["what"] == "signed":
            found = line
        elif line["open"]:
            found = None
    return found


def _append(path: Path, line: dict[str, Any]) -> None:
    with path.open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")


def _lines(path: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for number, text in enumerate(path.read_bytes().splitlines(), 1):
        try:
            line = orjson.loads(text)
            if line["what"] == "compared":
                datetime.fromisoformat(line["at"])
                int(line["open"]), int(line["flights"])
            lines.append(line)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise LogUnreadable(f"line {number} is none that `hobbs shadow` wrote") from None
    return lines
