"""Reads a file of another system's figures, flight by flight, in order, with bounded memory.

Long: a row for each flight and party (flight_id, party, amount). Wide: a row for each flight, and a column of
amounts for each party. What a comma means and what stands first in a date is said, never guessed; a row that
cannot be read is a fault, a row of totals is left out and said.
"""

import csv
import heapq
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Final

from hobbs.flights import cells as written_cells
from hobbs.flights import tables, workbook
from hobbs.flights.cells import Minutes
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount
from hobbs.shadow.figures import PARTIES, STUDENT, Figure, FlightFigures, role_of

LONG: Final = ("flight_id", "date", "party", "amount", "hours", "rate", "tax")
WIDE: Final = ("flight_id", "date", *PARTIES, "hours", "rate")
COLUMNS: Final = tuple(dict.fromkeys((*LONG, *WIDE)))
CHUNK: Final = 100_000  # rows that are sorted in memory
FAULTS_MAX: Final = 20


_Row = list[str]  # as it is sorted: its flight, its number in the file with zeros before it, its cells
CELLS: Final = 2  # before the row's own
NUMBER_CHARS: Final = 12
LABEL_CHARS: Final = 40


class Told:
    """A flight of the file: what it says of each party, and everything when it is asked."""

    __slots__ = ("_columns", "_rows", "amounts", "flight_id")

    def __init__(
        self, flight_id: str, amounts: Mapping[str, int], rows: Sequence[_Row], columns: "_Columns"
    ) -> None:
        self.flight_id, self.amounts = flight_id, amounts
        self._rows, self._columns = rows, columns

    def figures(self) -> FlightFigures:
        """All that the rows say; several of one party are one amount."""
        found: dict[str, Figure] = {}
        day = ""
        for row in self._rows:
            said = self._columns.said(row)
            day = max(day, said.get("date", ""))
            for figure in self._columns.read(said):
                before = found.get(figure.party)
                found[figure.party] = figure if before is None else _added(before, figure)
        return FlightFigures(self.flight_id, day, list(found.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file: what stands before the cents, and which column is which of ours.

    date_format: of its dates; None: YYYY-MM-DD. minutes: what becomes of 1:18; None: it is refused.
    """

    currency: str
    decimals: Decimals | None = None
    column_map: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    minutes: Minutes | None = None
    encoding: str | None = None
    sheet: str | None = None


@dataclass(slots=True, kw_only=True)
class FiguresFile:
    """What is known of a file once it is read: rows, faults, and which parties it says anything of.

    repeated: rows that say the same as another of their flight; they are added up like any others.
    elsewhere: flights of which the live books know that they were billed there.
    """

    rows: int = 0
    faults: list[str] = field(default_factory=list)
    faulty: int = 0
    notes: list[str] = field(default_factory=list)
    repeated: int = 0
    elsewhere: int = 0
    roles: set[str] = field(default_factory=set)
    named: bool = False  # parties are `student:student-01`, not `student`

    def wrong(self, line: int, sentence: str) -> None:
        """Note a row that cannot be read, by the line it starts on."""
        self.faulty += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(f"line {line}: {sentence}")

    def malformed(self, line: int, cells: Sequence[str], sentence: str) -> None:
        """Note a row without the header's cells, unless it is one of totals."""
        if label := written_cells.totals_label(cells, {}):
            self.left_out(line, label)
        else:
            self.wrong(line, sentence)

    def left_out(self, line: int, label: str) -> None:
        """Note a row of totals."""
        if len(self.notes) < FAULTS_MAX:
            self.notes.append(f"line {line} is left out: a row of totals ({label[:LABEL_CHARS]})")

    def twice(self, line: int, before: int, flight_id: str) -> None:
        """Note a row that says the same as another."""
        self.repeated += 1
        if self.repeated <= FAULTS_MAX:
            self.notes.append(f"line {line} says the same of {flight_id} as line {before}: both are counted")


def sorted_flights(path: Path, reading: Reading, found: FiguresFile, stack: ExitStack) -> Iterator[Told]:
    """The file's flights in the order of their ids. What is on disk meanwhile goes with `stack`.

    Before this returns the file was read once: then `found.roles` and `found.named` are complete. Faults are
    found while the flights are taken.
    """
    known = {*COLUMNS, *reading.column_map}
    how = tables.Table(
        is_header=partial(_is_header, reading=reading),
        is_column=lambda cell: cell in known or cell.lower() in known,
        encoding=reading.encoding,
        sheet=reading.sheet,
    )
    records = tables.read_table(path, how, stack, found.notes, found.malformed)
    header = next(records, None)
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")
    names, wide = _names(header[1], reading)
    rows = _rows(_by_told_decimals(records, reading), names.index("flight_id"), found)
    seen = _seen(rows, names, found, wide=wide)
    chunks = [_spill(sorted(some), stack) for some in _chunks(seen)]
    return _grouped(heapq.merge(*chunks), _Columns(names, reading, wide=wide), found)


def _by_told_decimals(
    records: Iterable[tuple[int, list[str]]], reading: Reading
) -> Iterator[tuple[int, list[str]]]:
    """A number of a workbook has a point; on disk it is a text, and is written as the file's texts are."""
    for number, cells in records:
        if reading.decimals == "comma":
            cells = [c.replace(".", ",") if isinstance(c, workbook.Number) else c for c in cells]
        yield number, cells


def _rows(records: Iterator[tuple[int, list[str]]], at: int, found: FiguresFile) -> Iterator[_Row]:
    for number, cells in records:
        flight_id = cells[at].strip() if at < len(cells) else ""
        label = written_cells.totals_label((flight_id,) if flight_id else cells, {})
        if label:
            found.left_out(number, label)
            continue
        yield [flight_id, str(number).zfill(NUMBER_CHARS), *cells]


def _seen(
    rows: Iterable[_Row], names: Sequence[str | None], found: FiguresFile, *, wide: bool
) -> Iterator[_Row]:
    """Note which parties the rows say anything of."""
    parties = [(n, name) for n, name in enumerate(names, CELLS) if name in (PARTIES if wide else ("party",))]
    for row in rows:
        found.rows += 1
        for n, name in parties:
            if said := row[n].strip() if n < len(row) else "":
                found.roles.add(str(name) if wide else role_of(said))
                found.named = found.named or (not wide and ":" in said)
        yield row


class _Columns:
    """Where in a row is what, and how it is read: quickly where nothing is wrong."""

    def __init__(self, names: Sequence[str | None], reading: Reading, *, wide: bool) -> None:
        self._places = {our: place for place, our in enumerate(names, CELLS) if our}
        self._parties = [(party, self._places[party]) for party in PARTIES if party in self._places]
        self._read = partial(_wide if wide else _long, reading)
        self._wide = wide
        self._money = lru_cache(maxsize=65_536)(
            partial(amount, currency=reading.currency, decimals=reading.decimals)
        )
        tenths = lru_cache(maxsize=4_096)(partial(_tenths, reading=reading))
        self._day = lru_cache(maxsize=4_096)(partial(_day, reading=reading))
        checks = {"date": self._day, "hours": tenths, "rate": self._money, "tax": self._money}
        self._checks = [(check, self._places[name]) for name, check in checks.items() if name in self._places]

    def said(self, row: _Row) -> Mapping[str, str]:
        said = {our: row[place].strip() for our, place in self._places.items() if place < len(row)}
        return {**said, "date": self._day(said.get("date", ""))}

    def read(self, said: Mapping[str, str]) -> list[Figure]:
        """A row's figures. Raises ValueError with a sentence."""
        return self._read(said)

    def amounts(self, row: _Row) -> list[tuple[str, int]]:
        """What a row says of each party. Raises ValueError with a sentence: a cell cannot be read."""
        try:
            return self._amounts(row)
        except (ValueError, IndexError):  # the sentence names the column
            _check_flight_id(row[0])
            said = self.said(row)
            return [(figure.party, figure.amount) for figure in self._read(said)]

    def _amounts(self, row: _Row) -> list[tuple[str, int]]:
        if not row[0]:
            raise ValueError
        for check, place in self._checks:
            if written := row[place].strip():
                check(written)
        if not self._wide:
            party = row[self._places["party"]].strip()
            if role_of(party) not in PARTIES:
                raise ValueError
            return [(party, self._money(row[self._places["amount"]].strip()))]
        money = self._money
        return [(party, money(written)) for party, place in self._parties if (written := row[place].strip())]


def _grouped(rows: Iterable[_Row], columns: _Columns, found: FiguresFile) -> Iterator[Told]:
    for flight_id, some in groupby(rows, itemgetter(0)):
        amounts: dict[str, int] = {}
        good = list[_Row]()
        for row in some:
            try:
                of_row = columns.amounts(row)
            except ValueError as error:
                found.wrong(int(row[1]), str(error))
                continue
            if good and good[-1][CELLS:] == row[CELLS:]:
                found.twice(int(row[1]), int(good[-1][1]), flight_id)
            good.append(row)
            for party, value in of_row:
                amounts[party] = amounts.get(party, 0) + value
        if amounts:
            yield Told(flight_id, amounts, good, columns)


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
    csv.writer(file).writerows(rows)
    file.seek(0)
    return csv.reader(file)


def _is_header(cells: Sequence[str], reading: Reading) -> bool:
    try:
        return bool(_names(cells, reading))
    except FileUnreadable:
        return False


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
            _tenths(row.get("hours", ""), reading),
            _optional("rate", row, reading),
            _optional("tax", row, reading),
        )
    ]


def _wide(reading: Reading, row: Mapping[str, str]) -> list[Figure]:
    """A figure for each party that the row names; hours and rate are of the student's bill."""
    tenths, rate = _tenths(row.get("hours", ""), reading), _optional("rate", row, reading)
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
        return amount(written, reading.currency, reading.decimals)
    except ValueError as error:
        raise ValueError(f"{name}: {str(error).removeprefix('amount: ')}") from None


def _tenths(written: str, reading: Reading) -> int | None:
    """Hours as tenths; a figure with more decimals is left out, since it is no figure of a meter."""
    if not written:
        return None
    text = written.replace(",", ".") if reading.decimals == "comma" else written
    if ":" in text:
        text = str(written_cells.hours("hours", text, None, reading.minutes))
    whole, point, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 4) or (point and not part.isdigit()):
        raise ValueError(f"hours: {written[:40]!r} is not hours such as 1.3")
    return int(whole) * 10 + int(part[:1] or 0) if len(part.rstrip("0")) <= 1 else None


def _day(written: str, reading: Reading) -> str:
    return written_cells.day(written, reading.date_format).isoformat() if written else ""


def _check_flight_id(written: str) -> None:
    if not written:
        raise ValueError("flight_id: is empty")
