"""A table of a file of any size: text in whatever encoding and with whatever delimiter, or a workbook.

Rows are read one by one, however large the file is; what stands above the header is passed over.
"""

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from hobbs.flights import csv_text, workbook
from hobbs.flights.unreadable import FileUnreadable

HEAD_BYTES: Final = 4_096
WORKBOOK_BYTES_MAX: Final = 64 * 2**20
_READ_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the table's header is like, and what a file does not say itself."""

    is_header: Callable[[Sequence[str]], bool]
    is_column: Callable[[str], bool]
    encoding: str | None = None
    sheet: str | None = None


def read_table(
    path: Path, table: Table, stack: ExitStack, notes: list[str], malformed: csv_text.Malformed
) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows after it, each with the line it starts on. Raises FileUnreadable.

    The file is open as long as `stack` is.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    content = path.read_bytes() if head.startswith(b"PK") else head
    if workbook.is_workbook(content):
        if len(content) > WORKBOOK_BYTES_MAX:
            raise FileUnreadable(f"the workbook is larger than {WORKBOOK_BYTES_MAX} bytes; save it as CSV")
        rows = workbook.workbook_rows(content, table.sheet, notes)
        return csv_text.below_titles(rows, table.is_header)
    if table.sheet is not None:
        raise FileUnreadable("--sheet is for a workbook (.xlsx), which this is not")
    encoding = table.encoding or _encoding(path, head, notes)
    try:
        text = stack.enter_context(path.open(encoding=encoding, newline=None))
    except LookupError:
        raise FileUnreadable(f"there is no encoding called {encoding!r}") from None
    above = list(islice(text, csv_text.TITLE_LINES_MAX + csv_text.HEADER_LINES_MAX))
    csv_text.require_text("".join(above)[:HEAD_BYTES])
    begin, delimiter = csv_text.table_place(above, table.is_header, table.is_column)
    return csv_text.csv_records(chain(above, text), begin, delimiter, malformed)


def _encoding(path: Path, head: bytes, notes: list[str]) -> str:
    if found := csv_text.encoding_of(head, notes):
        return found
    if _is_utf8(path):
        return "utf-8"
    notes.append("the file is not UTF-8: read as Windows-1252; use --encoding when that is wrong")
    return "cp1252"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while part := file.read(_READ_BYTES):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
