"""Opening files of every shape that other programs write: read to the cent, or refused with line and column.

A file is generated with what it means: the lines it must be read as, or the line that must be named.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from hobbs.flights.column_maps import column_map
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals
from hobbs.opening.file import COLUMNS, Reading, read_opening_file
from services.ledger.domain.openings import KINDS

SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
GROUPS: Final[Mapping[Decimals | None, Sequence[str]]] = {
    "point": ("", ",", " ", "\u00a0", "\u202f", "'", "\u2019"),
    "comma": ("", ".", " ", "\u00a0", "\u202f", "'", "\u2019"),
    None: ("", " ", "\u00a0", "'"),
}
MINUS: Final[Sequence[Callable[[str], str]]] = (
    lambda text: f"-{text}",
    lambda text: f"({text})",
    lambda text: f"{text}-",
    lambda text: f"\u2212{text}",
    lambda text: f"- {text}",
)
TOTALS: Final = ("Total", "TOTAL", "Summe", "Grand Total:", "Totals", "Gesamtsumme")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a program writes."""

    currency: str
    decimals: Decimals | None
    group: str
    minus: Callable[[str], str]
    mark: Callable[[str, str], str]
    delimiter: str
    encoding: str
    line_end: str
    title: Sequence[str]
    total: str | None
    blank_lines: bool
    sides: bool
    turned: bool
    headers: Mapping[str, str]
    order: Sequence[str]
    quoted: bool

    def amount(self, minor: int) -> str:
        whole, cents = divmod(abs(minor), 100)
        digits = f"{whole:,}".replace(",", self.group)
        text = f"{digits}{',' if self.decimals == 'comma' else '.'}{cents:02}"
        if minor < 0:
            return self.minus(self.mark(text, self.currency))
        return self.mark(text, self.currency)


MARKS: Final[Sequence[Callable[[str, str], str]]] = (
    lambda text, currency: text,
    lambda text, currency: f"{SIGNS[currency]}{text}",
    lambda text, currency: f"{text} {SIGNS[currency]}",
    lambda text, currency: f"{text}\u00a0{currency}",
    lambda text, currency: f"{currency} {text}",
)


@st.composite
def styles(draw: st.DrawFn) -> Style:
    one = st.sampled_from
    decimals: Decimals | None = draw(one(("point", "comma", None)))
    encoding = draw(one(("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le")))
    cp1252 = encoding == "cp1252"
    groups = [group for group in GROUPS[decimals] if not (cp1252 and group == "\u202f")]
    names = {
        "key": draw(one(("key", "Kunde", "Customer Name", "Kürzel", "N° compte"))),
        "reference": draw(one(("reference", "Num", "Beleg-Nr.", "Facture"))),
        "amount": draw(one(("amount", "Open Balance", "Saldo", "Solde dû"))),
        "note": draw(one(("Notes", "Bemerkung", ""))),
        "since": "Fällig am",
        "debit": draw(one(("debit", "Soll", "Débit"))),
        "credit": draw(one(("credit", "Haben", "Crédit"))),
    }
    sides = draw(st.booleans())
    columns = ["key", "reference", "note", "since", *(("debit", "credit") if sides else ("amount",))]
    return Style(
        currency=draw(one(tuple(SIGNS))),
        decimals=decimals,
        group=draw(one(groups)),
        minus=draw(one(MINUS[:3] if cp1252 else MINUS)),
        mark=draw(one(MARKS)),
        delimiter=draw(one(",;\t|")),
        encoding=encoding,
        line_end=draw(one(("\n", "\r\n", "\r"))),
        title=draw(one(((), ("Bluegrass Flying Club",), ("Report", "", "As of May 31, 2026")))),
        total=draw(one((None, *TOTALS))),
        blank_lines=draw(st.booleans()),
        sides=sides,
        turned=not sides and draw(st.booleans()),
        headers={name: names[name] for name in columns},
        order=draw(st.permutations(columns)),
        quoted=draw(st.booleans()),
    )


@dataclass(slots=True, kw_only=True)
class Foreign:
    """A generated file's rows. meant: what each line that counts must be read as."""

    style: Style
    kind: str
    rows: list[dict[str, str]] = field(default_factory=list)
    meant: dict[tuple[str, str], int] = field(default_factory=dict)


@st.composite
def foreign(draw: st.DrawFn, at_least: int = 0) -> Foreign:
    style = draw(styles())
    kind = draw(st.sampled_from(("student_item", "student_balance", "owner", "bank_line", "reserve")))
    found = Foreign(style=style, kind=kind)
    amounts = st.integers(-999_999_999, 999_999_999)
    for number, minor in enumerate(draw(st.lists(amounts, min_size=at_least, max_size=8))):
        key = "" if KINDS[kind].fixed else f"party-{number // 2 if kind == 'student_item' else number:02}"
        reference = f"R{number}" if KINDS[kind].referenced else ""
        # A delimiter, quotes, a line's end and letters beyond ASCII, in a column that is not read.
        note = draw(st.sampled_from(("", "plain", "a;b,c\td|e", 'said "hm"', "two\nlines", "Müller é")))
        found.rows.append(written(style, kind, key, reference, note, minor))
        if minor:
            found.meant[key, reference] = minor
    return found


def written(style: Style, kind: str, key: str, reference: str, note: str, minor: int) -> dict[str, str]:
    row = {"key": key, "reference": reference, "note": note, "since": "03.04.2026"}
    if style.sides:
        credit = minor * KINDS[kind].sign
        side = "credit" if (credit > 0) == (len(note) % 3 != 0) else "debit"  # a side may hold a negative
        other = "debit" if side == "credit" else "credit"
        amount = style.amount(credit if side == "credit" else -credit)
        return row | {side: amount, other: style.amount(0) if len(note) % 2 else ""}
    return row | {"amount": style.amount(-minor if style.turned else minor)}


def as_csv(found: Foreign) -> bytes:
    style, out = found.style, io.StringIO()
    writer = csv.writer(
        out,
        delimiter=style.delimiter,
        lineterminator=style.line_end,
        quoting=csv.QUOTE_ALL if style.quoted else csv.QUOTE_MINIMAL,
    )
    for line in style.title:
        out.write(f"{line}{style.line_end}")
    writer.writerow(style.headers[name] for name in style.order)
    for row in found.rows:
        writer.writerow(row[name].replace("\n", style.line_end) for name in style.order)
        if style.blank_lines:
            out.write(style.line_end)
    if style.total is not None:
        total = dict.fromkeys(style.order, "") | {"key": style.total}
        total |= {name: style.amount(123_45) for name in ("amount", "debit") if name in style.order}
        writer.writerow(total[name] for name in style.order)
    return out.getvalue().encode(style.encoding)


def as_workbook(found: Foreign, *, typed: bool) -> bytes:
    """typed: amounts and dates are numbers and dates; else texts. A total is a formula."""
    style, book, file = found.style, Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for line in style.title:
        sheet.append((line,) if line else ())
    sheet.append([style.headers[name] for name in style.order])
    meant = dict(found.meant)
    for row in found.rows:
        cells: dict[str, Any] = dict(row) | {"since": date(2026, 4, 3)}
        if typed and not style.sides:
            minor = meant.get((row["key"], row["reference"]), 0) * (-1 if style.turned else 1)
            cells["amount"] = minor / 100 if minor % 100 else minor // 100
        sheet.append([None if cells[name] == "" else cells[name] for name in style.order])
        if style.blank_lines:
            sheet.append(())
    if style.total is not None:
        total: dict[str, Any] = dict.fromkeys(style.order) | {"key": style.total}
        total |= {name: "=SUM(A1:A9)" for name in ("amount", "debit") if name in style.order}
        sheet.append([total[name] for name in style.order])
    book.save(file)
    return file.getvalue()


def reading(found: Foreign) -> Reading:
    style = found.style
    named = [(ours, style.headers[ours]) for ours in style.order if ours not in ("note", "since")]
    maps = [f"{theirs}={ours}" for ours, theirs in named if theirs != ours]
    return Reading(
        kind=found.kind,
        currency=style.currency,
        decimals=style.decimals,
        turned=style.turned,
        column_map=column_map(maps, COLUMNS, unnamed=True),
        encoding="cp1252" if style.encoding == "cp1252" else None,
    )


def read_exactly(found: Foreign, content: bytes) -> None:
    *amounts, last = found.meant.values() or (0,)
    assume(len(amounts) < 2 or sum(amounts) != last)  # by chance a total
    told = read_opening_file(content, reading(found))
    assert told.faults == [], (found, told.faults)
    assert {(one.key, one.reference): one.amount for one in told.lines} == found.meant, content
    assert {one.currency for one in told.lines} <= {found.style.currency}


@seed(23)
@settings(max_examples=60, database=None)
@given(found=foreign())
def test_a_foreign_csv_file_is_read_to_the_cent(found: Foreign) -> None:
    read_exactly(found, as_csv(found))


@seed(23)
@settings(max_examples=60, database=None)
@given(found=foreign(), typed=st.booleans())
def test_a_foreign_workbook_is_read_to_the_cent(found: Foreign, typed: bool) -> None:
    read_exactly(found, as_workbook(found, typed=typed))


WRONG: Final[Mapping[Decimals | None, Sequence[str]]] = {
    "point": ("1.234,56", "12,5", "1,23", "1.234", "12.345,00"),
    "comma": ("1,234.56", "12.5", "1.23", "1,234", "1 234.00"),
    None: ("1,234.56", "1.234,56", "12,50", "1.234"),
}
NEVER: Final = (
    "12 50",
    "1 2345,00",
    "1'23",
    "12 345 67",
    "--5",
    "(-5)",
    "-5-",
    "(5",
    "5)",
    "#REF!",
    "#N/A",
    "n/a",
    "1e3",
)
NEVER_EITHER: Final = (
    "5%",
    "0x10",
    "True",
    "2026-05-01",
    "03.04.2026",
    "5 CHF",
    "CHF 5",
    "12:30",
    "",
    "  ",
    "5 5",
)


@seed(23)
@settings(max_examples=60, database=None)
@given(data=st.data())
def test_a_cell_that_is_no_amount_of_the_file_is_named_by_its_line(data: st.DataObject) -> None:
    """The rest of the file is as it should be: nothing of it is loaded, and one line is named."""
    found = data.draw(foreign(at_least=1))
    style, place = found.style, data.draw(st.integers(0, len(found.rows) - 1))
    foreign_sign = next(sign for code, sign in SIGNS.items() if code != style.currency)
    cells = (
        *WRONG[style.decimals],
        *NEVER,
        *NEVER_EITHER,
        f"{foreign_sign}5",
        f"5 {foreign_sign}",
        f"-{foreign_sign}5",
    )
    cell = data.draw(st.sampled_from(cells))
    row = found.rows[place]
    column = next(name for name in ("debit", "amount") if name in style.order)
    if style.sides:
        assume(cell.strip())
        row["credit"] = ""
    row[column] = cell
    told = read_opening_file(as_csv(found), reading(found))
    assert [fault.line for fault in told.faults] == [line_of(found, place)], (cell, told)
    assert told.faults[0].sentence.startswith(f"{column}: ")


def line_of(found: Foreign, place: int) -> int:
    style = found.style
    before = sum(row["note"].count("\n") + 1 + style.blank_lines for row in found.rows[:place])
    return len(style.title) + 2 + before


@pytest.mark.parametrize("label", ["Endsaldo", "Total (3)", "Balance du mois"])
def test_a_total_that_is_called_by_an_unknown_name_is_no_party(label: str) -> None:
    text = f"key;amount\ns-1;5,00\ns-2;-1,00\n{label};4,00\n"
    how = Reading(kind="student_balance", currency="EUR", decimals="comma")
    told = read_opening_file(text.encode(), how)
    assert [(fault.line, "add up to" in fault.sentence) for fault in told.faults] == [(4, True)]
    moved = f"key;amount\n{label};4,00\ns-1;5,00\ns-2;-1,00\n"
    assert len(read_opening_file(moved.encode(), how).lines) == 3


@seed(23)
@settings(max_examples=60, database=None)
@given(data=st.data())
def test_no_damaged_file_breaks_the_reader(data: st.DataObject) -> None:
    """Bytes that were lost, doubled or overwritten: lines, faults or a sentence, and no other end."""
    found = data.draw(foreign(at_least=1))
    content = bytearray(as_csv(found))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        match data.draw(st.sampled_from(("cut", "put", "end"))):
            case "cut":
                del content[at : at + data.draw(st.integers(1, 9))]
            case "put":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case _:
                del content[at:]
    with suppress(FileUnreadable):
        read_opening_file(bytes(content), reading(found))
