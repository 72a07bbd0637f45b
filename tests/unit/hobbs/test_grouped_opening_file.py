"""Reports of what customers owe, as accounting programs export them: lines under rows with names."""

import csv
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from openpyxl import Workbook

from hobbs.flights.people import read_people
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.file import OpeningFile, Reading, read_opening_file

OPEN_INVOICES = """\
"Sample Flying School, LLC",,,,,,
Open Invoices,,,,,,
"As of May 31, 2026",,,,,,

,Date,Transaction Type,Num,Terms,Due Date,Open Balance
"Sample, Fern",,,,,,
,04/02/2026,Invoice,1001,Net 30,05/02/2026,"1,180.00"
,04/20/2026,Payment,,,,(45.10)
"Total for Sample, Fern",,,,,,"$1,134.90"
Example Aviation Club,,,,,,
Ida Example,,,,,,
,05/01/2026,Invoice,1002,Net 30,05/31/2026,200.00
Total for Ida Example,,,,,,$200.00
Total for Example Aviation Club,,,,,,$200.00
TOTAL,,,,,,"$1,334.90"

"Monday, June 01, 2026 09:14 AM GMT-05:00",,,,,,
"""
PEOPLE = b'"Sample, Fern",s-1\nExample Aviation Club:Ida Example,s-2\n'


def read(text: str | bytes, **how: object) -> OpeningFile:
    given: dict[str, object] = {
        "kind": "student_item",
        "currency": "USD",
        "decimals": "point",
        "grouped": True,
        "column_map": {"Num": "reference", "Open Balance": "amount"},
        "reference_else": ("Transaction Type", "Date"),
        **how,
    }
    content = text.encode() if isinstance(text, str) else text
    return read_opening_file(content, Reading(**given))  # type: ignore[arg-type]


def lines(found: OpeningFile) -> list[tuple[str, str, int]]:
    return [(one.key, one.reference, one.amount) for one in found.lines]


def test_a_line_has_the_name_it_stands_under_and_the_totals_are_compared() -> None:
    found = read(OPEN_INVOICES, people=read_people(PEOPLE))
    assert found.faults == []
    assert lines(found) == [
        ("s-1", "1001", 118_000),
        ("s-1", "Payment 04/20/2026", -4_510),
        ("s-2", "1002", 20_000),
    ]
    assert found.notes == [
        "columns not read: Date, Transaction Type, Terms, Due Date",
        "line 17 is left out: it stands below the grand total (Monday, June 01, 2026 09:14 AM GMT-05:00)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            '"$1,134.90"',
            '"$1,134.91"',
            9,
            "'Total for Sample, Fern' says 1134.91, but its lines add up to 1134.90",
        ),
        ('"$1,334.90"', '"$1,334.80"', 15, "'TOTAL' says 1334.80, but its lines add up to 1334.90"),
        (",04/20/2026,Payment,,,,(45.10)\n", "", 8, "add up to 1180.00"),
        (
            '"Total for Sample, Fern",,,,,,"$1,134.90"\n',
            "",
            6,
            "Sample, Fern begins here, but no row of its total",
        ),
        ('"Sample, Fern",,,,,,\n', "", 6, "it stands under no row with a name"),
        (
            '"Total for Sample, Fern"',
            '"Total for Sample, Fay"',
            9,
            "ends nothing: the lines above it stand under Sample",
        ),
        ("Ida Example,,,,,,\n", "", 12, "'Total for Ida Example' ends nothing"),
        ("TOTAL,", "TOTAL,,,,,,0.00\nTOTAL,", 15, "says 0.00"),
        ('\n"Monday', ',,Invoice,9,,,5.00\n"Monday', 16, "it stands below the grand total"),
        ("200.00\n", "2OO.00\n", 12, "is not an amount of USD"),
        ('"$1,134.90"', "yes", 9, "the row 'Total for Sample, Fern': amount: 'yes' is not an amount of USD"),
        ("Ida Example,,,,,,\n", "Example, Ida,,,,,\n", 11, "amount: '' is not an amount"),
    ],
)
def test_what_does_not_fit_is_named_by_its_line(old: str, new: str, line: int, says: str) -> None:
    assert OPEN_INVOICES.count(old) >= 1
    faults = read(OPEN_INVOICES.replace(old, new, 1)).faults
    assert line in [fault.line for fault in faults], faults
    assert says in next(fault.sentence for fault in faults if fault.line == line)


def test_a_name_may_be_in_a_column_and_the_rows_may_say_how_old_a_debt_is() -> None:
    found = read(
        "A/R Aging Detail\n\nDate,Type,Num,Customer,Amount,Open balance\n"
        "1 - 30 days past due (2),,,,,\n"
        "05/01/2026,Invoice,7,s-1,9.00,5.00\n05/01/2026,Invoice,8,s-2,7.00,7.00\n"
        "Total for 1 - 30 days past due,,,,16.00,12.00\nTOTAL,,,,16.00,12.00\n",
        column_map={"Num": "reference", "Customer": "key", "Open balance": "amount"},
        reference_else=(),
    )
    assert (lines(found), found.faults) == ([("s-1", "7", 500), ("s-2", "8", 700)], [])


@pytest.mark.parametrize(
    ("title", "mapped"), [("", {}), ("", {"": "key"}), ("Customer", {"Customer": "key"})]
)
def test_the_column_of_the_names_may_be_mapped_to_the_key(title: str, mapped: dict[str, str]) -> None:
    found = read(
        f"{title},Num,Open balance\ns-1,,\n,1,5.00\ns-1 Total,,5.00\nGrand Total,,5.00\n",
        column_map={"Num": "reference", "Open balance": "amount", **mapped},
        reference_else=(),
    )
    assert (lines(found), found.faults) == ([("s-1", "1", 500)], [])


def test_a_line_without_a_name_in_its_column_has_not_that_of_its_group() -> None:
    text = (
        "Date,Num,Customer,Open balance\nCURRENT,,,\n1 May,7,,5.00\nTotal for CURRENT,,,5.00\nTOTAL,,,5.00\n"
    )
    columns = {"Num": "reference", "Customer": "key", "Open balance": "amount"}
    [fault] = read(text, column_map=columns, reference_else=()).faults
    assert (fault.line, "say whom it is about" in fault.sentence) == (3, True)


def test_a_workbook_is_read_and_totals_without_an_amount_are_said() -> None:
    """A program that writes totals as formulas leaves them empty until somebody saves the workbook."""
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (
        ("Aged Receivables Detail",),
        ("Invoice Date", "Invoice Number", "Total"),
        (3000,),
        ("2026-05-01", "INV-1", 12.5),
        ("Total 3000", None, "=SUM(C4:C4)"),
        ("Total", None, 12.5),
        ("Percentage of total", None, 1),
    ):
        book.active.append(row)
    book.save(file)
    found = read(
        file.getvalue(), column_map={"Invoice Number": "reference", "Total": "amount"}, reference_else=()
    )
    assert (lines(found), found.faults) == ([("3000", "INV-1", 1_250)], [])
    assert found.notes[1:] == [
        "line 5 is not compared: the row 'Total 3000' has no amount",
        "line 7 is left out: it stands below the grand total (Percentage of total)",
    ]


def test_a_file_that_is_cut_off_says_so_and_options_name_columns_that_are_there() -> None:
    text = ",Num,Open Balance\ns-1,,\n,1,5.00\nTotal s-1,,5.00\ns-2,,\n"
    found = read(text, reference_else=())
    assert (lines(found), found.faults) == ([("s-1", "1", 500)], [])
    assert found.notes == [
        "line 5 is left out: nothing stands under it (s-2)",
        "line 5 is the last one, and no grand total: whether more lines are missing is not known",
    ]
    with pytest.raises(FileUnreadable, match="--reference-else names what the file does not have: Date"):
        read(text, reference_else=("Date",))
    with pytest.raises(FileUnreadable, match="--grouped compares totals of one column"):
        read("kind,debit,credit\n", column_map={}, reference_else=())


Line = tuple[str, str, int]
NAMES = (
    "Sample, Fern",
    "Ida Example",
    "Total Aviation LLC",
    "O'Sample & Sons",
    "Müller, Ünal",
    "3000",
    "Example (Summer)",
    "Club Total",
    "Example Jr., Ed, PhD",
)


@dataclass
class Report:
    """A report of a seed, and what stands in it. totals: the rows that say a sum."""

    rng: random.Random
    rows: list[list[str]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    expected: list[Line] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1000, 9999)))

    def __post_init__(self) -> None:
        pick = self.rng.choice
        self.header = pick(
            [
                ["", "Date", "Transaction Type", "Num", "Due Date", "Amount", "Open Balance"],
                ["", "Type", "Date", "Num", "P. O. #", "Terms", "Due Date", "Aging", "Open Balance"],
                ["Date", "Type", "Num", "Due Date", "Open Balance"],
            ]
        )
        self.total = pick(["Total for {}", "Total {}"])
        self.comma = self.rng.random() < 0.3
        self.symbol, self.brackets, self.counted = pick(["", "$"]), pick([True, False]), pick([True, False])
        self.short, self.paged = self.rng.random() < 0.3, self.rng.random() < 0.3

    def money(self, cents: int) -> str:
        text = f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
        if self.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        text = self.symbol + text
        return text if cents >= 0 else f"({text})" if self.brackets else f"-{text}"

    def row(self, **cells: str) -> None:
        first = [cells.get("label", "")] if not self.header[0] else []
        row = first + [cells.get(name.split()[0].lower(), "") for name in self.header[len(first) :]]
        if "label" in cells and not first:
            row[0] = cells["label"]
        self.rows.append(row)
        if self.rng.random() < 0.1:
            self.rows.append([""] * len(self.header))

    def group(self, name: str, parents: tuple[str, ...], depth: int) -> int:
        count = self.rng.randint(1, 4)
        self.row(label=f"{name} ({count})" if self.counted else name)
        added = sum(self.line(":".join((*parents, name))) for _ in range(count))
        if depth and self.rng.random() < 0.4:
            for child in self.rng.sample([one for one in NAMES if one != name], 2):
                added += self.group(child, (*parents, name), depth - 1)
        self.sum(self.total.format(name), added)
        return added

    def line(self, key: str) -> int:
        kind = self.rng.choice(["Invoice", "Invoice", "Credit Memo", "Payment"])
        cents = self.rng.choice([1, 99, 100_000, 123_456_789, self.rng.randint(1, 500_000)])
        cents = cents if kind == "Invoice" else -cents
        unique = str(next(self.numbers))
        numbered = kind != "Payment"
        day = f"2026-05-{unique}"
        self.row(
            date=day,
            type=kind,
            transaction=kind,
            num=unique if numbered else "",
            amount=self.money(cents * 2),
            open=self.money(cents),
        )
        self.expected.append((key, unique if numbered else day, cents))
        if self.paged and self.rng.random() < 0.2:
            self.rows.extend([["Sample Flying School"], ["Open Invoices"], self.header])
        return cents

    def sum(self, label: str, cents: int) -> None:
        self.totals.append(len(self.rows))
        self.row(label=label, open=self.money(cents))

    def written(self) -> bytes:
        file = io.StringIO()
        out = csv.writer(
            file, delimiter=";" if self.comma else ",", lineterminator=self.rng.choice(["\n", "\r\n"])
        )
        for row in self.rows:
            alone = sum(map(bool, row)) == 1
            out.writerow(
                [row[0]] if alone and row[0] and self.short else [*row, *[""] * (len(self.header) - len(row))]
            )
        return file.getvalue().encode(self.rng.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))


def report_of(seed: int) -> Report:
    report = Report(random.Random(seed))
    report.rows.extend(
        [["Sample Flying School"], ["Open Invoices"], ["As of May 31, 2026"], [], report.header]
    )
    names = report.rng.sample(NAMES, report.rng.randint(1, 5))
    report.sum("TOTAL", sum([report.group(name, (), depth=2) for name in names]))
    report.rows.extend(
        [[], [report.rng.choice(["Accrual Basis Monday, June 1, 2026 09:14 AM GMT-05:00", ""])]]
    )
    return report


def read_report(report: Report, change: Callable[[Report], None] = lambda _: None) -> OpeningFile:
    change(report)
    return read(report.written(), decimals="comma" if report.comma else "point", reference_else=("Date",))


def test_reports_of_many_shapes_are_read_to_the_cent() -> None:
    for seed in range(300):
        report = report_of(seed)
        found = read_report(report)
        assert found.faults == [], (seed, found.faults)
        assert lines(found) == report.expected, seed
        assert len(report.expected) == len({(key, about) for key, about, _ in report.expected})


def test_a_total_that_is_a_cent_off_and_a_line_that_is_gone_are_refused() -> None:
    for seed in range(300):
        report = report_of(seed)
        place = report.rng.choice(report.totals)
        at = report.header.index("Open Balance")

        def off(report: Report, place: int = place, at: int = at) -> None:
            text = report.rows[place][at]
            last = next(spot for spot in reversed(range(len(text))) if text[spot].isdigit())
            report.rows[place][at] = f"{text[:last]}{(int(text[last]) + 1) % 10}{text[last + 1 :]}"

        assert any(
            "but its lines add up to" in fault.sentence for fault in read_report(report, off).faults
        ), seed

        report = report_of(seed)
        dated = report.header.index("Date")
        gone = report.rng.choice(
            [
                n
                for n, row in enumerate(report.rows)
                if row[dated : dated + 1] > ["2026"] and len(row) > 2 and row[dated].startswith("2026-")
            ]
        )

        def without(report: Report, gone: int = gone) -> None:
            del report.rows[gone]

        assert read_report(report, without).faults, seed
