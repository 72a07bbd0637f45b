"""Reads opening balances from a CSV file or a workbook: a line each, or why it cannot be read.

Pure. A file that cannot be read at all raises FileUnreadable; a line that cannot be read is a fault with its
number. Only the shape is checked here: what a line may be, the ledger says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hobbs.flights import cells, csv_text, workbook
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount

COLUMNS: Final = ("kind", "key", "reference", "amount", "currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line as the ledger is asked to post it. amount: minor units, positive as its kind says."""

    line: int
    kind: str
    key: str
    reference: str
    currency: str
    amount: int


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
    """How to read a file. kind, currency: of lines that name none. turned: amounts have the other sign."""

    kind: str | None
    currency: str
    decimals: Decimals | None = None
    turned: bool = False
    column_map: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None


def read_opening_file(content: bytes, reading: Reading) -> OpeningFile:
    """Read a whole file; rows of totals and lines of zero are left out, and said."""
    found = OpeningFile()
    records = _records(content, reading, found)
    header = next(records, None)
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")
    names = _names(header[1], reading, found.notes)
    zero = 0
    for number, written in records:
        row = {our: cell for our, cell in zip(names, written, strict=False) if our}
        if label := cells.totals_label(written, {}):
            found.notes.append(f"line {number} is left out: a row of totals ({label})")
            continue
        try:
            line = _line(number, row, reading)
        except ValueError as error:
            found.faults.append(Fault(line=number, sentence=str(error)))
            continue
        zero += not line.amount
        found.lines += [line] if line.amount else []
    if zero:
        found.notes.append(f"{zero} lines of zero are left out")
    return found


def _line(number: int, row: Mapping[str, str], reading: Reading) -> ReadLine:
    """A line's cells. A number of a workbook has a point before its cents, whatever its texts have."""
    cell = {name: written.strip() for name, written in row.items()}
    kind = cell.get("kind") or reading.kind
    if not kind:
        raise ValueError("kind: is empty; fill the column, or name one for the whole file with --kind")
    currency = cell.get("currency") or reading.currency
    decimals = None if isinstance(row.get("amount"), workbook.Number) else reading.decimals
    value = amount(cell.get("amount", ""), currency, decimals)
    return ReadLine(
        line=number,
        kind=kind,
        key=cell.get("key", ""),
        reference=cell.get("reference", ""),
        currency=currency,
        amount=-value if reading.turned else value,
    )


def _records(content: bytes, reading: Reading, found: OpeningFile) -> Iterator[tuple[int, list[str]]]:
    if workbook.is_workbook(content):
        yield from workbook.workbook_rows(content, reading.sheet, found.notes)
        return
    if reading.sheet is not None:
        raise FileUnreadable("--sheet is for a workbook (.xlsx), which this is not")
    lines = csv_text.lines_of(csv_text.decoded(content, reading.encoding, found.notes))
    begin, delimiter = csv_text.told_delimiter(lines)
    if delimiter is None:
        delimiter = csv_text.sniffed_delimiter(
            lines, lambda c: c in reading.column_map or c.lower() in COLUMNS
        )

    def malformed(line: int, written: Sequence[str], fault: str) -> None:
        found.faults.append(Fault(line=line, sentence=fault))

    yield from csv_text.csv_records(lines, begin, delimiter, malformed)


def _names(header: Sequence[str], reading: Reading, notes: list[str]) -> list[str | None]:
    """For each column of the file, ours; None is not read. Raises when one that is needed is not there."""
    columns, mapped = [cell.strip() for cell in header], reading.column_map
    has = f"it has: {', '.join(columns)}"
    if absent := sorted(set(mapped) - set(columns)):
        raise FileUnreadable(f"--map names what the file does not have: {', '.join(absent)}; {has}")
    taken = set(mapped.values())
    names = [
        mapped.get(c) or (c.lower() if c.lower() in COLUMNS and c.lower() not in taken else None)
        for c in columns
    ]
    there = [name for name in names if name]
    if twice := sorted({name for name in there if there.count(name) > 1}):
        raise FileUnreadable(f"two columns are both {', '.join(twice)}; {has}")
    if missing := [name for name in ("amount", *(() if reading.kind else ("kind",))) if name not in there]:
        raise FileUnreadable(
            f"the file has no column for {', '.join(missing)}; {has}; name another column with "
            "--map COLUMN=NAME" + (", or the kind of all lines with --kind" if "kind" in missing else "")
        )
    if ignored := [c for c, our in zip(columns, names, strict=True) if our is None and c]:
        notes.append(f"columns not read: {', '.join(ignored)}")
    return names
