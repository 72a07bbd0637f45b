"""Text to rows: how bytes are encoded, where lines end, what stands between cells. Pure."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from hobbs.flights.unreadable import FileUnreadable

FIELD_CHARS_MAX: Final = 10_000
SHOWN_CHARS: Final = 60
TITLE_LINES_MAX: Final = 50  # before the header: a report's name, whose it is, as of when
HEADER_LINES_MAX: Final = 10
DELIMITERS: Final = ",;\t|"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# \r\r\n is what a program writes that turns \n into \r\n twice: one end of a line, as \n\r is.
_LINE_END: Final = re.compile(r"\r*\n\r?|\r")
_SEP: Final = re.compile(r'"?sep=(.)"?[,;\t| ]*', re.IGNORECASE)
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

Malformed = Callable[[int, Sequence[str], str], None]


def decoded(content: bytes, encoding: str | None, notes: list[str]) -> str:
    """By --encoding, by byte-order mark, by its zeros as UTF-16, as UTF-8, or (saying so) as Windows-1252."""
    text = _decoded(content, encoding, notes).removeprefix("\ufeff")
    require_text(text[:4000])
    return text


def require_text(begins: str) -> None:
    """Refuse what is no text, by how it begins."""
    if 20 * len(_NO_TEXT.findall(begins)) > len(begins):
        raise FileUnreadable("the file is no text; save it as CSV, or name its --encoding")


def encoding_of(begins: bytes, notes: list[str]) -> str | None:
    """What the first bytes say of the encoding: by a byte-order mark, or by the zeros of UTF-16."""
    marked = next((name for mark, name in _BOMS if begins.startswith(mark)), None)
    if marked is None and b"\x00" in begins[:2]:
        marked = "utf-16-le" if begins[1:2] == b"\x00" else "utf-16-be"
        notes.append(f"the file has no byte-order mark: read as {marked}; use --encoding when that is wrong")
    return marked


def _decoded(content: bytes, encoding: str | None, notes: list[str]) -> str:
    marked = (None if encoding else encoding_of(content, notes)) or "utf-8"
    try:
        return content.decode(encoding or marked)
    except LookupError:
        raise FileUnreadable(f"there is no encoding called {encoding!r}") from None
    except UnicodeDecodeError as error:
        if encoding or marked != "utf-8":
            name = encoding or marked
            raise FileUnreadable(f"the file is not {name} (byte {error.start}); try --encoding") from None
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"the file is not UTF-8 (byte {error.start}); name its --encoding") from None
    notes.append("the file is not UTF-8: read as Windows-1252; use --encoding when that is wrong")
    return text


def lines_of(text: str) -> list[str]:
    r"""The lines, each with \n at its end; other characters that Unicode calls line breaks are data."""
    lines = [f"{line}\n" for line in _LINE_END.split(text)]
    lines[-1] = lines[-1].removesuffix("\n")
    return lines if lines[-1] else lines[:-1]


def told_delimiter(lines: Sequence[str]) -> tuple[int, str | None]:
    """How many lines stand before the header, and the delimiter that a first line `sep=;` tells."""
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    told = _SEP.fullmatch(lines[first].rstrip("\n")) if lines else None
    return (first + 1, told[1]) if told else (0, None)


def sniffed_delimiter(lines: Sequence[str], is_column: Callable[[str], bool]) -> str:
    """The delimiter by which the header has most of the columns we know, then most cells; quotes are read."""
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader(islice(lines, first, None), delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return sum(is_column(cell.strip()) for cell in cells), len(cells)

    return max(DELIMITERS, key=worth)


def table_place(
    lines: Sequence[str], is_header: Callable[[Sequence[str]], bool], is_column: Callable[[str], bool]
) -> tuple[int, str]:
    """How many lines stand before the header, such as a report's title, and what stands between cells.

    Where no line is a header, it is the first one: what it lacks is said of that one.
    """
    begin, told = told_delimiter(lines)
    for place in range(begin, min(len(lines), begin + TITLE_LINES_MAX)):
        delimiter = told or sniffed_delimiter(lines[place : place + HEADER_LINES_MAX], is_column)
        try:
            cells = next(csv.reader(islice(lines, place, None), delimiter=delimiter), [])
        except csv.Error:
            continue
        if is_header(cells):
            return place, delimiter
    return begin, told or sniffed_delimiter(lines, is_column)


def below_titles(
    rows: Iterator[tuple[int, list[str]]], is_header: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[int, list[str]]]:
    """A workbook's rows from the header on; from the first one where none is a header."""
    above = list(islice(rows, TITLE_LINES_MAX))
    place = next((n for n, (_, cells) in enumerate(above) if is_header(cells)), 0)
    return chain(above[place:], rows)


def csv_records(
    lines: Iterable[str], begin: int, delimiter: str, malformed: Malformed
) -> Iterator[tuple[int, list[str]]]:
    """Whole records with the line each starts on; empty ones are skipped, malformed ones told.

    A stray quote opens a field that swallows the lines after it. So a malformed record costs its first line
    only, and reading goes on with the next line. Of the lines only those of one record are in memory.
    """
    csv.field_size_limit(FIELD_CHARS_MAX)
    source, again, taken = islice(lines, begin, None), deque[str](), list[str]()

    def read() -> Iterator[list[str]]:
        return csv.reader(_fed(source, again, taken), delimiter=delimiter, strict=True)

    width = 0  # of the first record, the header
    number, reader = begin, read()
    while True:
        taken.clear()
        cells = list[str]()
        try:
            cells = next(reader)
            fault = _wrong_count(cells, width)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"cannot be read as CSV: {error}; the line begins {taken[0][:SHOWN_CHARS].rstrip()!r}"
        line = number + 1
        if fault is None:
            number += len(taken)
            if any(cell.strip() for cell in cells):
                width = width or len(cells)
                yield line, cells
            continue
        if not width:
            raise FileUnreadable(f"line {line}, the header, {fault}")
        malformed(line, cells, fault)
        again.extendleft(reversed(taken[1:]))
        number, reader = line, read()


def _fed(source: Iterator[str], again: deque[str], taken: list[str]) -> Iterator[str]:
    """The lines one by one, those first that are read again; what was given is noted."""
    while True:
        line = again.popleft() if again else next(source, None)
        if line is None:
            return
        taken.append(line)
        yield line


def _wrong_count(cells: Sequence[str], width: int) -> str | None:
    """A row may be as long as the header, or longer with empty fields only, or empty; else a sentence."""
    if not width or not any(cell.strip() for cell in cells):
        return None
    if len(cells) >= width and not any(cell.strip() for cell in cells[width:]):
        return None
    begins = ", ".join(cells)[:SHOWN_CHARS]
    return f"has {len(cells)} fields where the header has {width}; it begins {begins!r}"
