"""Reads opening balances from a CSV file or a workbook: a line each, or why it cannot be read.

Pure. A file that cannot be read at all raises FileUnreadable; a line that cannot be read, or that the ledger
would refuse by itself, is a fault with its number. What stands in the books already, the ledger says.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from hobbs.flights import cells, csv_text, workbook
from hobbs.flights.people import People
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount, sided
from hobbs.opening.grouped import Groups
from services.ledger.domain.openings import KINDS, LineKey, OpeningLine, line_fault

COLUMNS: Final = ("kind", "key", "reference", "amount", "currency", "debit", "credit")
SIDES: Final = ("debit", "credit")
TOTALLED_MIN: Final = 3  # lines of a file whose last may be the total of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line as the ledger is asked to post it. amount: minor units, positive as its kind says."""

    line: int
    kind: str
    key: str
    reference: str
    currency: str
    amount: int

    @property
    def about(self) -> LineKey:
        return LineKey(self.kind, self.key, self.reference, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that cannot be read, and why."""

    line: int
    sentence: str


@dataclass(slots=True, kw_only=True)
class OpeningFile:
    """What a file holds, and notes for the person who reads it."""

    lines: list[ReadLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file. kind, currency: of lines that name none. turned: amounts have the other sign.

    people: ids of the names that stand in the column key. grouped: lines stand under rows with a name, which
    is their key where no column is. reference_else: columns that are the reference of a line without one.
    """

    kind: str | None
    currency: str
    decimals: Decimals | None = None
    turned: bool = False
    column_map: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None
    people: People = field(default_factory=People)
    grouped: bool = False
    reference_else: Sequence[str] = ()


def read_opening_file(content: bytes, reading: Reading) -> OpeningFile:
    """Read a whole file; rows of totals and lines of zero are left out, and said."""
    found = OpeningFile()
    titles = set[str]()
    records = _records(content, reading, found, titles)
    header = next(records, None)
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")
    names = _names(header[1], reading, found.notes)
    elses = _places(header[1], reading.reference_else)
    named = reading.grouped and _names_are_keys(header[1], names)
    if reading.grouped:
        lines = iter(_groups(header[1], names, titles, reading, found).lines(records))
    else:
        lines = ((number, written, "") for number, written in _without_totals(records, found.notes))
    zero, first = 0, dict[LineKey, int]()
    for number, written, name in lines:
        row = _row(names, written)
        if named and not row.get("key", "").strip():
            row["key"] = name
        if not row.get("reference", "").strip():
            instead = [written[place].strip() for place in elses if place < len(written)]
            row["reference"] = " ".join(filter(None, instead))
        try:
            line = _line(number, row, reading)
        except ValueError as error:
            found.faults.append(Fault(line=number, sentence=str(error)))
            continue
        if not line.amount:
            zero += 1
            continue
        if (before := first.setdefault(line.about, number)) != number:
            twice = (
                f"{line.about} stands in line {before} too; give each line a reference of its own, "
                "or add them up"
            )
            found.faults.append(Fault(line=number, sentence=twice))
            continue
        found.lines.append(line)
    if not reading.grouped and "kind" not in names:
        _refuse_an_unnamed_total(found)
    if zero:
        found.notes.append(f"{zero} lines of zero are left out")
    found.faults.sort(key=lambda fault: fault.line)
    return found


def _refuse_an_unnamed_total(found: OpeningFile) -> None:
    """A total whose label nobody here knows would be one more party, owed as much as all the others."""
    if len(found.lines) < TOTALLED_MIN or found.faults:
        return
    *lines, last = found.lines
    if {one.currency for one in lines} == {last.currency} and sum(one.amount for one in lines) == last.amount:
        found.lines.pop()
        sentence = (
            f"{last.about} is what the lines above it add up to: take a row of totals out of the file, or "
            "put a line that is none above the others"
        )
        found.faults.append(Fault(line=last.line, sentence=sentence))


def _row(names: Sequence[str | None], written: Sequence[str]) -> dict[str, str]:
    return {our: cell for our, cell in zip(names, written, strict=False) if our}


def _names_are_keys(header: Sequence[str], names: Sequence[str | None]) -> bool:
    """Whether no other column is the key than one in which the names of the groups stand."""
    first = next((place for place, cell in enumerate(header) if cell.strip()), 0)
    return "key" not in names or names.index("key") <= first


def _without_totals(
    records: Iterator[tuple[int, list[str]]], notes: list[str]
) -> Iterator[tuple[int, list[str]]]:
    for number, written in records:
        if label := cells.totals_label(written, {}):
            notes.append(f"line {number} is left out: a row of totals ({label})")
        else:
            yield number, written


def _groups(
    header: Sequence[str],
    names: Sequence[str | None],
    titles: Iterable[str],
    reading: Reading,
    found: OpeningFile,
) -> Groups:
    if "amount" not in names:
        raise FileUnreadable("--grouped compares totals of one column: map it, --map COLUMN=amount")

    def worth(written: Sequence[str], currency: str | None) -> tuple[str, int] | None:
        row = _row(names, written)
        if not row.get("amount", "").strip():
            return None
        told = currency or row.get("currency", "").strip() or reading.currency
        text, side = sided(row["amount"])
        value = _minor({"amount": text}, "amount", told, reading)
        return told, -value if side == "credit" else value

    def fault(line: int, sentence: str) -> None:
        found.faults.append(Fault(line=line, sentence=sentence))

    def note(line: int, sentence: str) -> None:
        found.notes.append(f"line {line} {sentence}")

    return Groups(header, titles, worth, fault, note)


def _places(header: Sequence[str], columns: Sequence[str]) -> list[int]:
    there = [cell.strip() for cell in header]
    if absent := [column for column in columns if column not in there]:
        raise FileUnreadable(
            f"--reference-else names what the file does not have: {', '.join(absent)}; it has: "
            f"{', '.join(there)}"
        )
    return [there.index(column) for column in columns]


def changed_lines(lines: Iterable[ReadLine], moved: Mapping[LineKey, int]) -> list[Fault]:
    """The lines that are posted with another amount. moved: what stands on each one's wallet."""
    return [
        Fault(line=one.line, sentence=f"{one.about} is loaded with another amount")
        for one in lines
        if moved.get(one.about, one.amount * KINDS[one.kind].sign) != one.amount * KINDS[one.kind].sign
    ]


def _line(number: int, row: Mapping[str, str], reading: Reading) -> ReadLine:
    """A line's cells, as the ledger takes them. Raises ValueError with a sentence."""
    cell = {name: " ".join(written.splitlines()).strip() for name, written in row.items()}
    kind = cell.get("kind") or reading.kind
    if not kind:
        raise ValueError("kind: is empty; fill the column, or name one for the whole file with --kind")
    currency = cell.get("currency") or reading.currency
    key = reading.people.id_of(cell.get("key", ""))
    about = LineKey(kind, key, cell.get("reference", ""), currency)
    if kind not in KINDS:
        raise ValueError(str(line_fault(OpeningLine(about=about, amount=1))))
    value = _amount(row, kind, currency, reading)
    if value and (fault := line_fault(OpeningLine(about=about, amount=value))):
        raise ValueError(fault)
    return ReadLine(line=number, amount=value, **about._asdict())


def _amount(row: Mapping[str, str], kind: str, currency: str, reading: Reading) -> int:
    """In minor units, positive as the kind says: what a line says of debit and credit is not turned."""
    sides = {name: row[name] for name in SIDES if name in row}
    if not sides:
        written, side = sided(row.get("amount", ""))
        if side is None:
            value = _minor(row, "amount", currency, reading)
            return -value if reading.turned else value
        sides = {side: written}
    if reading.turned:
        raise ValueError("amount: the line says debit or credit itself; leave out --turn-signs")
    read = {
        name: _minor({name: cell}, name, currency, reading) for name, cell in sides.items() if cell.strip()
    }
    if all(read.get(name) for name in SIDES):
        raise ValueError("debit and credit are both filled; name the columns of the balance with --map")
    return KINDS[kind].sign * (read.get("credit", 0) - read.get("debit", 0))


def _minor(row: Mapping[str, str], name: str, currency: str, reading: Reading) -> int:
    """A number of a workbook has a point before its cents, whatever its texts have."""
    written = row.get(name, "")
    decimals = None if isinstance(written, workbook.Number) else reading.decimals
    try:
        return amount(written.strip(), currency, decimals)
    except ValueError as error:
        raise ValueError(str(error).replace("amount:", f"{name}:", 1)) from None


def _records(
    content: bytes, reading: Reading, found: OpeningFile, titles: set[str]
) -> Iterator[tuple[int, list[str]]]:
    """The header and what follows it; what stands above it, such as a report's title, goes to titles."""
    if workbook.is_workbook(content):
        rows = workbook.workbook_rows(content, reading.sheet, found.notes)
        yield from csv_text.below_titles(rows, lambda cells: _is_header(cells, reading))
        return
    if reading.sheet is not None:
        raise FileUnreadable("--sheet is for a workbook (.xlsx), which this is not")
    lines = csv_text.lines_of(csv_text.decoded(content, reading.encoding, found.notes))
    begin, delimiter = csv_text.table_place(
        lines,
        lambda cells: _is_header(cells, reading),
        lambda cell: cell in reading.column_map or cell.lower() in COLUMNS,
    )

    titles.update(_titles(lines[:begin], delimiter))
    short = list[tuple[int, list[str]]]()

    def malformed(line: int, written: Sequence[str], fault: str) -> None:
        if reading.grouped and sum(bool(cell.strip()) for cell in written) == 1:
            short.append((line, list(written)))  # a name, without the empty cells after it
        elif label := cells.totals_label(written, {}):
            found.notes.append(f"line {line} is left out: a row of totals ({label})")
        else:
            found.faults.append(Fault(line=line, sentence=fault))

    for record in csv_text.csv_records(lines, begin, delimiter, malformed):
        yield from short
        short.clear()
        yield record
    yield from short


def _titles(lines: Sequence[str], delimiter: str) -> Iterator[str]:
    """What stands alone in a row above the header."""
    with suppress(csv.Error):
        for row in csv.reader(lines, delimiter=delimiter):
            filled = [" ".join(cell.split()) for cell in row if cell.strip()]
            if len(filled) == 1:
                yield filled[0]


def _is_header(cells: Sequence[str], reading: Reading) -> bool:
    return {cell.strip() for cell in cells} >= set(reading.column_map) and not _missing(
        _ours(cells, reading), reading
    )


def _ours(header: Sequence[str], reading: Reading) -> list[str | None]:
    """For each column of the file, ours; None is not read."""
    taken = set(reading.column_map.values())
    return [
        reading.column_map.get(c) or (c.lower() if c.lower() in COLUMNS and c.lower() not in taken else None)
        for c in map(str.strip, header)
    ]


def _missing(ours: Sequence[str | None], reading: Reading) -> list[str]:
    amounts = [] if {"amount", *SIDES} & set(ours) else ["amount"]
    return amounts + ([] if reading.kind or "kind" in ours else ["kind"])


def _names(header: Sequence[str], reading: Reading, notes: list[str]) -> list[str | None]:
    """For each column of the file, ours; None is not read. Raises when one that is needed is not there."""
    columns, names = [cell.strip() for cell in header], _ours(header, reading)
    has = f"it has: {', '.join(columns)}"
    if absent := sorted(set(reading.column_map) - set(columns)):
        raise FileUnreadable(f"--map names what the file does not have: {', '.join(absent)}; {has}")
    there = [name for name in names if name]
    if twice := sorted({name for name in there if there.count(name) > 1}):
        raise FileUnreadable(f"two columns are both {', '.join(twice)}; {has}")
    if missing := _missing(names, reading):
        raise FileUnreadable(
            f"the file has no column for {', '.join(missing)}; {has}; name another column with "
            "--map COLUMN=NAME" + (", or the kind of all lines with --kind" if "kind" in missing else "")
        )
    if "amount" in there and set(SIDES) & set(there):
        raise FileUnreadable(
            f"the file has amount, and debit or credit as well; map the one that counts; {has}"
        )
    if ignored := [c for c, our in zip(columns, names, strict=True) if our is None and c]:
        notes.append(f"columns not read: {', '.join(ignored)}")
    return names
