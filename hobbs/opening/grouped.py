"""A report whose lines stand under rows with names, as accounting programs export what customers owe. Pure.

A row with one filled cell, not right of the first column that has a name, begins a group. `Total X` ends it
and must say what the lines in it add up to. Groups may stand in groups. What fits nowhere is a fault: a line
that stood under a wrong name would be somebody else's debt.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleet.money import format_minor
from hobbs.flights.people import folded

Tell = Callable[[int, str], None]
Worth = Callable[[Sequence[str], str | None], tuple[str, int] | None]

_GRAND: Final = re.compile(r"(grand |report )?totals?:?", re.IGNORECASE)
_TOTAL: Final = re.compile(r"total .+|.+ total", re.IGNORECASE)
_COUNT: Final = re.compile(r" \(\d+\)")  # how many lines stand below: `Doe, Jane (3)`
_BELOW: Final = re.compile(r"percentage of total|total percent(age)?", re.IGNORECASE)
_WAY_OUT: Final = "a line is missing or was changed; export the report again"


@dataclass(slots=True, kw_only=True)
class _Group:
    """name: as its total has it, once that was read. sums: of all lines in it, by currency."""

    name: str
    line: int
    lines: int = 0
    unread: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def named_by(self, label: str) -> str | None:
        """This group's name, if the label is that of its total."""
        for name in (self.name, _COUNT.sub("", self.name)):
            if folded(label) in {
                folded(text)
                for text in (f"total for {name}", f"total {name}", f"total - {name}", f"{name} total")
            }:
                return name
        return None


class Groups:
    """Reads rows in their order; what it finds it tells as faults and notes, each with its line.

    worth: what a row's amount is, in the currency that is given or its own. None: its amount is empty.
    """

    def __init__(self, header: Sequence[str], titles: Iterable[str], worth: Worth, fault: Tell, note: Tell):
        self._header = _trimmed(header)
        self._first = next((place for place, cell in enumerate(self._header) if cell), 0)
        self._titles = frozenset(titles)
        self._worth, self._fault, self._note = worth, fault, note
        self._all = _Group(name="", line=0)
        self._open: list[_Group] = []
        self._ended = False
        self._lines: list[tuple[int, list[str], tuple[_Group, ...]]] = []

    def lines(self, records: Iterable[tuple[int, list[str]]]) -> list[tuple[int, list[str], str]]:
        """The lines, each with its cells and its name: `Parent:Child` in a group of a group."""
        last = 0
        for last, cells in records:
            self._take(last, cells)
        if not self._ended:
            self._end_all(last)
            self._note(
                last, "is the last one, and no grand total: whether more lines are missing is not known"
            )
        return [
            (number, cells, ":".join(group.name for group in groups)) for number, cells, groups in self._lines
        ]

    def _take(self, number: int, cells: list[str]) -> None:
        row = _trimmed(cells)
        filled = [place for place, cell in enumerate(row) if cell]
        label = row[filled[0]] if filled[0] <= self._first else ""
        alone = bool(label) and len(filled) == 1
        if row == self._header or (alone and label in self._titles):
            self._note(number, "is left out: the header or title of another page")
        elif self._ended:
            if alone or _BELOW.fullmatch(label):
                self._note(number, f"is left out: it stands below the grand total ({label})")
            else:
                self._fault(number, "it stands below the grand total; export the report again")
        elif _GRAND.fullmatch(label):
            self._end_all(number)
            self._ended = True
            self._compare(number, label, cells, self._all)
        elif label and self._closes(number, label, cells):
            pass
        elif alone:
            self._open.append(_Group(name=label, line=number))
        elif _TOTAL.fullmatch(label):
            under = (
                f"the lines above it stand under {self._open[-1].name}" if self._open else "no line is above"
            )
            self._fault(number, f"the row {label!r} ends nothing: {under}; {_WAY_OUT}")
        else:
            self._add(number, cells)

    def _add(self, number: int, cells: list[str]) -> None:
        if not self._open:
            self._fault(
                number, "it stands under no row with a name; leave out --grouped for a file without such rows"
            )
        try:
            found = self._worth(cells, None)
        except ValueError:
            found = None  # whoever reads the line says why
        for group in (self._all, *self._open):
            group.lines += 1
            if found is None:
                group.unread += 1
            else:
                group.sums[found[0]] += found[1]
        self._lines.append((number, cells, tuple(self._open)))

    def _closes(self, number: int, label: str, cells: list[str]) -> bool:
        """Whether the row ends a group; names below it that nothing stands under are left out."""
        for empty, group in enumerate(reversed(self._open)):
            if name := group.named_by(label):
                self._leave_out(empty)
                self._open.pop()
                group.name = name
                self._compare(number, label, cells, group)
                return True
            if group.lines:
                return False
        return False

    def _leave_out(self, count: int) -> None:
        for _ in range(count):
            group = self._open.pop()
            self._note(group.line, f"is left out: nothing stands under it ({group.name})")

    def _end_all(self, number: int) -> None:
        """At the grand total or the file's end, what has lines must have had its own total."""
        while self._open:
            if not self._open[-1].lines:
                self._leave_out(1)
                continue
            group = self._open.pop()
            self._fault(
                group.line,
                f"{group.name} begins here, but no row of its total stands above line {number}; {_WAY_OUT}",
            )

    def _compare(self, number: int, label: str, cells: list[str], group: _Group) -> None:
        if group.unread:
            return
        if len(group.sums) > 1:
            currencies = ", ".join(sorted(group.sums))
            self._fault(number, f"the row {label!r} is of several currencies ({currencies}); split the file")
            return
        try:
            said = self._worth(cells, next(iter(group.sums), None))
        except ValueError as error:
            self._fault(number, f"the row {label!r}: {error}")
            return
        if said is None:
            self._note(number, f"is not compared: the row {label!r} has no amount")
            return
        currency, amount = said
        if amount != group.sums[currency]:
            added = format_minor(group.sums[currency], currency)
            self._fault(
                number,
                f"the row {label!r} says {format_minor(amount, currency)}, but its lines add up to {added}; "
                f"{_WAY_OUT}",
            )


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Cells without blanks around them, and without empty ones at the end."""
    row = [" ".join(cell.split()) for cell in cells]
    while row and not row[-1]:
        row.pop()
    return row
