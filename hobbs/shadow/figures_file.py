"""Reads a file of another system's figures, flight by flight, in order, with bounded memory.

Long: a row for each flight and party (flight_id, party, amount). Wide: a row for each flight, and a column of
amounts for each party. What a comma means is said, never guessed; a row that cannot be read is a fault.
"""

import csv
import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Final, NamedTuple

from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount
from hobbs.shadow.figures import PARTIES, STUDENT, Figure, FlightFigures, role_of

LONG: Final = ("flight_id", "date", "party", "amount", "hours", "rate", "tax")
WIDE: Final = ("flight_id", "date", *PARTIES, "hours", "rate")
COLUMNS: Final = tuple(dict.fromkeys((*LONG, *WIDE)))
CHUNK: Final = 100_000  # rows that are sorted in memory
FAULTS_MAX: Final = 20


class _Row(NamedTuple):
    """A row as it is sorted: by flight, in the file's order. `cells` are read only when their turn comes."""

    flight_id: str
    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file: what stands before the cents, and which column is which of ours."""

    currency: str
    decimals: Decimals | None = None
    column_map: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class FiguresFile:
    """What is known of a file once it is read: rows, faults, and which parties it says anything of."""

    rows: int = 0
    faults: list[str] = field(default_factory=list)
    faulty: int = 0
    roles: set[str] = field(default_factory=set)
    named: bool = False  # parties are `student:student-01`, not `student`

    def wrong(self, row: int, sentence: str) -> None:
        """Note a row that cannot be read."""
        self.faulty += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(f"row {row}: {sentence}")


def sorted_flights(
    path: Path, reading: Reading, found: FiguresFile, stack: ExitStack
) -> Iterator[FlightFigures]:
    """The file's flights in the order of their ids. What is on disk meanwhile goes with `stack`.

    Before this returns the file was read once: then `found.roles` and `found.named` are complete. Faults are
    found while the flights are taken.
    """
    table = stack.enter_context(path.open(encoding="utf-8-sig", newline=""))
    records = csv.reader(table, delimiter=_delimiter(table))
    header = next(records, None)
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")
    names, wide = _names(header, reading)
    at = names.index("flight_id")
    rows = _rows(records, at)
    seen = _seen(rows, names, found, wide=wide)
    chunks = [_spill(sorted(some), stack) for some in _chunks(seen)]
    read = partial(_wide if wide else _long, reading)
    return _grouped(heapq.merge(*chunks), names, read, found)


def _rows(records: Iterator[list[str]], at: int) -> Iterator[_Row]:
    for number, cells in enumerate(records, 2):
        if any(cells):
            yield _Row(cells[at].strip() if at < len(cells) else "", number, cells)


def _seen(
    rows: Iterable[_Row], names: Sequence[str | None], found: FiguresFile, *, wide: bool
) -> Iterator[_Row]:
    """Note which parties the rows say anything of."""
    parties = [(n, name) for n, name in enumerate(names) if name in (PARTIES if wide else ("party",))]
    for row in rows:
        found.rows += 1
        for n, name in parties:
            if said := row.cells[n].strip() if n < len(row.cells) else "":
                found.roles.add(str(name) if wide else role_of(said))
                found.named = found.named or (not wide and ":" in said)
        yield row


def _grouped(
    rows: Iterable[_Row],
    names: Sequence[str | None],
    read: Callable[[Mapping[str, str]], list[Figure]],
    found: FiguresFile,
) -> Iterator[FlightFigures]:
    ours = [(our, place) for place, our in enumerate(names) if our]
    for flight_id, some in groupby(rows, itemgetter(0)):
        figures: dict[str, Figure] = {}
        day = ""
        for row in some:
            cells = row.cells
            said = {our: cells[place].strip() for our, place in ours if place < len(cells)}
            try:
                _check_flight_id(flight_id)
                on, of_row = _day(said.get("date", "")), read(said)
            except ValueError as error:
                found.wrong(row.number, str(error))
                continue
            day = max(day, on)
            for figure in of_row:
                before = figures.get(figure.party)
                figures[figure.party] = figure if before is None else _added(before, figure)
        if figures:
            yield FlightFigures(flight_id, day, list(figures.values()))


def _added(one: Figure, other: Figure) -> Figure:
    """Two rows of one party are one amount; hours and rates then belong to neither."""
    taxes = [tax for tax in (one.tax, other.tax) if tax is not None]
    return Figure(one.party, one.amount + other.amount, tax=sum(taxes) if taxes else None)


def _chunks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while some := list(islice(rows, CHUNK)):
        yield some


def _spill(rows: Sequence[_Row], stack: ExitStack) -> Iterator[_Row]:
    """Write sorted rows to a file of their own, and read them back one by one."""
    file = stack.enter_context(
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 - the stack closes it
    )
    csv.writer(file).writerows((row.flight_id, row.number, *row.cells) for row in rows)
    file.seek(0)
    return (_Row(cells[0], int(cells[1]), cells[2:]) for cells in csv.reader(file))


def _delimiter(file: IO[str]) -> str:
    first = file.readline()
    file.seek(0)
    return ";" if first.count(";") > first.count(",") else ","


def _names(header: Sequence[str], reading: Reading) -> tuple[list[str | None], bool]:
    """For each column of the file, ours, and whether the parties are columns."""
    columns = [cell.strip() for cell in header]
    has = f"it has: {', '.join(columns)}"
    if absent := sorted(set(reading.column_map) - set(columns)):
        raise FileUnreadable(f"--map names what the file does not have: {', '.join(absent)}; {has}")
    known = {*LONG, *WIDE}
    names = [reading.column_map.get(c) or (c.lower() if c.lower() in known else None) for c in columns]
    there = [name for name in names if name]
    if twice := sorted({name for name in there if there.count(name) > 1}):
        raise FileUnreadable(f"two columns are both {', '.join(twice)}; {has}")
    wide = "party" not in there
    if "flight_id" not in there or (wide and not set(there) & set(PARTIES)):
        raise FileUnreadable(
            f"the file needs flight_id, and party with amount, or a column for each of {', '.join(PARTIES)}; "
            f"{has}; name another column with --map COLUMN=NAME"
        )
    if not wide and "amount" not in there:
        raise FileUnreadable(f"the file has a column party and none for amount; {has}")
    return names, wide


def _long(reading: Reading, row: Mapping[str, str]) -> list[Figure]:
    party = row.get("party", "")
    if role_of(party) not in PARTIES:
        raise ValueError(f"party: {role_of(party)[:40]!r} is none of {', '.join(PARTIES)}")
    return [
        Figure(
            party,
            _money("amount", row.get("amount", ""), reading),
            _tenths(row.get("hours", ""), reading.decimals),
            _optional("rate", row, reading),
            _optional("tax", row, reading),
        )
    ]


def _wide(reading: Reading, row: Mapping[str, str]) -> list[Figure]:
    """A figure for each party that the row names; hours and rate are of the student's bill."""
    tenths, rate = _tenths(row.get("hours", ""), reading.decimals), _optional("rate", row, reading)
    tax = _optional("tax", row, reading)
    return [
        Figure(party, _money(party, written, reading), tenths, rate, tax)
        if party == STUDENT
        else Figure(party, _money(party, written, reading))
        for party in PARTIES
        if (written := row.get(party))
    ]


def _optional(name: str, row: Mapping[str, str], reading: Reading) -> int | None:
    written = row.get(name, "")
    return _money(name, written, reading) if written else None


def _money(name: str, written: str, reading: Reading) -> int:
    try:
        return _read_amount(written, reading.currency, reading.decimals)
    except ValueError as error:
        raise ValueError(f"{name}: {str(error).removeprefix('amount: ')}") from None


_read_amount: Final = lru_cache(maxsize=65_536)(amount)  # amounts come again and again


def _tenths(written: str, decimals: Decimals | None) -> int | None:
    """Hours as tenths; a figure with more decimals is left out, since it is no figure of a meter."""
    if not written:
        return None
    text = written.replace(",", ".") if decimals == "comma" else written
    whole, point, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 4) or (point and not part.isdigit()):
        raise ValueError(f"hours: {written[:40]!r} is not hours such as 1.3")
    return int(whole) * 10 + int(part[:1] or 0) if len(part.rstrip("0")) <= 1 else None


@lru_cache(maxsize=4_096)
def _day(written: str) -> str:
    if written:
        try:
            date.fromisoformat(written)
        except ValueError:
            raise ValueError(f"date: {written[:40]!r} is not a date such as 2026-05-22") from None
    return written


def _check_flight_id(written: str) -> None:
    if not written:
        raise ValueError("flight_id: is empty")
