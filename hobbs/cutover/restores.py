"""When a restored backup was compared with Kafka and Stripe, and whether all agreed: a line for each time."""

from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

KIND: Final = "restore check"


def note(file: Path, *, now: datetime, agreed: bool) -> None:
    """Add a line to the log of restores."""
    with file.open("ab") as out:
        out.write(orjson.dumps({"kind": KIND, "at": now.isoformat(), "agreed": agreed}) + b"\n")


def last_agreed(file: Path) -> datetime | None:
    """When one last agreed. Raises ValueError for a file that is no such log."""
    found = None
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            said = orjson.loads(line)
            at, agreed = datetime.fromisoformat(said["at"]), said["agreed"] is True and said["kind"] == KIND
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise ValueError(f"line {number} is not one that hobbs restore check wrote") from None
        found = at if agreed else found
    return found
