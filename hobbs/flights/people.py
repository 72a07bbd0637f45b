"""Which of our people the names of another program's export are: a file of NAME,ID lines. Pure."""

import csv
import re
from collections.abc import Mapping
from typing import Final

from hobbs.flights import csv_text
from hobbs.flights.unreadable import FileUnreadable

_BLANKS: Final = re.compile(r"\s+")


class People:
    """Ids by names, in whatever case and with whatever blanks they are written."""

    def __init__(self, ids: Mapping[str, str] | None = None) -> None:
        self._ids = {folded(name): who for name, who in (ids or {}).items()}

    def id_of(self, written: str) -> str:
        """Our id of a name; what the file does not name is an id already."""
        return self._ids.get(folded(written), written)


def folded(name: str) -> str:
    """A name as it is compared."""
    return _BLANKS.sub(" ", name).strip().casefold()


def read_people(content: bytes) -> People:
    """Read the lines; a name may hold commas. Raises FileUnreadable with the line."""
    lines = csv_text.lines_of(csv_text.decoded(content, None, []))
    ids: dict[str, str] = {}
    first = next((line for line in lines if line.strip()), "")
    reader = csv.reader(lines, delimiter=next((mark for mark in ";\t" if mark in first), ","))
    for cells in reader:
        number = reader.line_num
        *names, who = (cell.strip() for cell in cells) if cells else ("",)
        name = ", ".join(names)
        if not any(cells) or (number == 1 and who == "id"):
            continue
        if not name or not who:
            raise FileUnreadable(f"line {number} of the people is not NAME,ID")
        if ids.setdefault(folded(name), who) != who:
            raise FileUnreadable(f"line {number} of the people: {name} is somebody else in a line before")
    return People(ids)
