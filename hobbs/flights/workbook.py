"""Reads the rows of a workbook (.xlsx), and names the files that are neither one nor text."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Final

from hobbs.flights.unreadable import FileUnreadable

UNPACKED_BYTES_MAX: Final = 512 * 2**20
_SAVE: Final = "save it there as CSV (or .xlsx) and publish that"
# How files of other kinds begin.
_SIGNATURES: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls), or a workbook with a password"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
_MARKUP: Final = (
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "an XML file"),
)
_KINDS_OF_ZIP: Final = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("content.xml", "an OpenDocument file (.ods)"),
    ("Index/Document.iwa", "an Apple Numbers file (.numbers)"),
    ("Index.zip", "an Apple Numbers file (.numbers)"),
    ("word/document.xml", "a Word document"),
)


class Number(str):
    """A cell that holds a number: written with a point, whatever the file's decimals are."""

    __slots__ = ()


def is_workbook(content: bytes) -> bool:
    """Whether this is an .xlsx workbook, whatever the file is called.

    Raises FileUnreadable for a file that is of another kind and no text: it names the kind and the way out.
    """
    for begins, kind in _SIGNATURES:
        if content.startswith(begins):
            raise FileUnreadable(f"the file is {kind}; {_SAVE}")
    begins = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for markup, kind in _MARKUP:
        if begins.startswith(markup):
            raise FileUnreadable(
                f"the file is {kind}, whatever its name says; open it in a spreadsheet, {_SAVE}"
            )
    if not content.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names, unpacked = set(archive.namelist()), sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        raise FileUnreadable("the file is a damaged workbook or zip archive; save it again") from None
    if "xl/workbook.xml" not in names:
        kind = next((kind for name, kind in _KINDS_OF_ZIP if name in names), "a zip archive")
        raise FileUnreadable(f"the file is {kind}; {_SAVE if kind != 'a zip archive' else 'unpack it first'}")
    if unpacked > UNPACKED_BYTES_MAX:
        raise FileUnreadable(f"the workbook is larger than {UNPACKED_BYTES_MAX} bytes unpacked; split it")
    return True


def workbook_rows(content: bytes, sheet: str | None, notes: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet that hold anything, each with its number; the first sheet with rows unless told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which are not read
        try:
            yield from _rows(content, sheet, notes)
        except FileUnreadable:
            raise
        except Exception as error:  # openpyxl names no base class of what a damaged workbook raises
            raise FileUnreadable(
                f"the workbook cannot be read ({type(error).__name__}); save it as CSV and publish that"
            ) from None


def _rows(content: bytes, sheet: str | None, notes: list[str]) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # most files are text, and this import outweighs the rest of a command

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    tables = {table.title: table for table in book.worksheets}
    if sheet is not None and sheet not in tables:
        raise FileUnreadable(f"the workbook has no sheet {sheet!r}; it has: {', '.join(tables)}")
    for title in [sheet] if sheet is not None else list(tables):
        tables[title].reset_dimensions()  # some programs write them wrong
        found = False
        for number, cells in enumerate(tables[title].iter_rows(values_only=True), start=1):
            written = [_text(cell) for cell in cells]
            if any(cell.strip() for cell in written):
                found = True
                yield number, written
        if found:
            others = [other for other in tables if other != title]
            if others:
                notes.append(f"sheet {title!r} was read, not {', '.join(others)}; --sheet names another")
            return


def _text(cell: Any) -> str:
    """A cell as CSV would write it; a number without what rounding left behind its ninth decimal."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell)
        case int():
            return Number(cell)
        case float():
            near = round(cell, 9)
            return Number(int(near) if near.is_integer() else format(near, ".15g"))
        case datetime():
            return str(cell.date()) if cell.time() == time() else cell.isoformat(sep=" ", timespec="seconds")
        case time():
            return cell.isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
