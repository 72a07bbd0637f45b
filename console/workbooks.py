"""A list's rows as a workbook (xlsx): amounts are numbers, and no text is a formula. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from console.reads.tables import Column, Listing
from console.shown import in_words
from fleet.money import minor_digits

SHEET_CHARS_MAX: Final = 31
MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(listing: Listing, rows: Sequence[Mapping[str, Any]], zone: str) -> bytes:
    """The rows under the titles of their columns: the same, in the same order, as a CSV file."""
    from openpyxl import Workbook  # this import outweighs the rest of a page
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(listing.title[:SHEET_CHARS_MAX])
    sheet.freeze_panes = "A2"
    titles = [WriteOnlyCell(sheet, value=column.title) for column in listing.in_files]
    for cell in titles:
        cell.font = Font(bold=True)
    sheet.append(titles)
    for row in rows:
        cells = []
        for column in listing.in_files:
            value, form = _value(column, row, zone)
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with = would be computed else
            if form:
                cell.number_format = form
            cells.append(cell)
        sheet.append(cells)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def _value(column: Column, row: Mapping[str, Any], zone: str) -> tuple[Any, str | None]:
    """A cell's value, and how a number is shown."""
    value = row[column.name]
    if value is None:
        return None, None
    if column.kind == "money":
        digits = minor_digits(row["currency"])
        return Decimal(int(value)).scaleb(-digits), f"#,##0.{'0' * digits}" if digits else "#,##0"
    if column.kind == "number":
        return int(value), "0"
    if column.kind == "hours":
        return Decimal(int(value)).scaleb(-1), "0.0"
    if column.kind == "date":
        return value, "yyyy-mm-dd"
    return _printable(in_words(column, row, zone)), None


def _printable(text: str) -> str:
    """Without the control characters that a workbook cannot hold."""
    return "".join(one for one in text if one in "\t\n" or one.isprintable() or one == "\u00a0")
