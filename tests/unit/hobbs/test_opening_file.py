"""Files of opening balances: amounts as exports write them, columns of other names, rows left out."""

import io

import pytest
from openpyxl import Workbook

from hobbs.flights.column_maps import column_map
from hobbs.flights.people import read_people
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount
from hobbs.opening.file import COLUMNS, OpeningFile, Reading, changed_lines, read_opening_file


@pytest.mark.parametrize(
    ("written", "decimals", "minor"),
    [
        ("1234.56", None, 123_456),
        ("1234", None, 123_400),
        ("-5", None, -500),
        ("\u22125.5", None, -550),
        ("(1234.50)", None, -123_450),
        ("12.00-", None, -1_200),
        ("$1,234.56", "point", 123_456),
        ("-$1,234.56", "point", -123_456),
        ("($1,234.56)", "point", -123_456),
        ("1 234.56 USD", None, 123_456),
        ("USD 7", None, 700),
        ("1.234,56", "comma", 123_456),
        ("1.234", "comma", 123_400),
        ("1.234.567,8", "comma", 123_456_780),
        ("-70,00", "comma", -7_000),
        ("1\u2019234.56", "point", 123_456),
        ("1 234 567,8", "comma", 123_456_780),
        ("(12.00\u00a0USD)", None, -1_200),
        ("12.00 USD-", None, -1_200),
        ("\u201312.00", None, -1_200),
        (" $ -   ", None, 0),
        (".50", None, 50),
        ("1250.0000", None, 125_000),
    ],
)
def test_an_amount_is_read_as_it_is_written(written: str, decimals: Decimals | None, minor: int) -> None:
    assert amount(written, "USD", decimals) == minor


@pytest.mark.parametrize(
    ("written", "decimals", "says"),
    [
        ("1,234", None, "has a comma; say --decimals point"),
        ("1.234", None, "is not an amount of USD"),
        ("12,34", "point", "is not an amount of USD"),
        ("1,23,456.00", "point", "is not an amount of USD"),
        ("12.50", "comma", "a point stands before thousands"),
        ("1.234,567", "comma", "is not an amount of USD"),
        ("(-5)", None, "has two signs"),
        ("(5", None, "is not an amount of USD"),
        ("", None, "is not an amount of USD"),
        ("5 EUR", None, "is not an amount of USD"),
        ("1e3", None, "is not an amount of USD"),
        ("٣", None, "is not an amount of USD"),
        ("=1+1", None, "is not an amount of USD"),
        ("--5", None, "has two signs"),
        ("-$-5", None, "has two signs"),
        ("€5", None, "has the sign of another currency than USD"),
        ("12 50", None, "is not an amount of USD"),
        ("1'2345", None, "is not an amount of USD"),
        ("12.505", None, "is not an amount of USD"),
        ("12.5050", None, "is not an amount of USD"),
    ],
)
def test_what_may_be_either_or_is_no_amount_is_refused(
    written: str, decimals: Decimals | None, says: str
) -> None:
    with pytest.raises(ValueError, match="amount: ") as refused:
        amount(written, "USD", decimals)
    assert says in str(refused.value)


def test_an_amount_has_the_decimals_of_its_currency() -> None:
    assert (amount("1234", "JPY", None), amount("1.5", "KWD", None)) == (1234, 1500)
    with pytest.raises(ValueError, match="is not an amount of JPY"):
        amount("12.50", "JPY", None)


def read(text: str, *maps: str, **how: object) -> OpeningFile:
    given: dict[str, object] = {
        "kind": None,
        "currency": "USD",
        "column_map": column_map(maps, COLUMNS),
        **how,
    }
    return read_opening_file(text.encode(), Reading(**given))  # type: ignore[arg-type]


def test_lines_have_their_own_kind_and_currency_or_the_files() -> None:
    found = read("Kind,KEY,amount,currency\nowner,o-1,5,\n,s-1,7,EUR\n", kind="student_balance")
    assert [(one.line, one.kind, one.key, one.currency, one.amount) for one in found.lines] == [
        (2, "owner", "o-1", "USD", 500),
        (3, "student_balance", "s-1", "EUR", 700),
    ]
    assert [one.sentence for one in read("kind,amount\n,5\n").faults] == [
        "kind: is empty; fill the column, or name one for the whole file with --kind"
    ]


def test_signs_are_turned_totals_and_zeros_left_out_and_what_cannot_be_read_is_named() -> None:
    found = read(
        "Kunde;Saldo;Telefon\ns-1;5,00;x\ns-2;0,00;x\nSumme;5,00;\ns-3;a;x\ns-4;1\n",
        "Kunde=key",
        "Saldo=amount",
        kind="student_balance",
        decimals="comma",
        turned=True,
    )
    assert [(one.key, one.amount) for one in found.lines] == [("s-1", -500)]
    assert [fault.line for fault in found.faults] == [5, 6]
    assert found.notes == [
        "columns not read: Telefon",
        "line 4 is left out: a row of totals (Summe)",
        "1 lines of zero are left out",
    ]


def test_what_stands_above_the_header_is_passed_over_and_a_column_may_have_no_name() -> None:
    title = 'Bluegrass,,\r\n"Customer Balance\r\nSummary",,\r\n"As of May 31, 2026",,\r\n\r\n'
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le"):
        text = f'{title},Total\r\ns-3,"1,180.00"\r\ns-4,-45.10\r\nTOTAL,"$1,134.90"\r\n'
        how = Reading(
            kind="student_balance",
            currency="USD",
            decimals="point",
            column_map=column_map(["=key", "Total=amount"], COLUMNS, unnamed=True),
        )
        found = read_opening_file(text.encode(encoding), how)
        assert [(one.line, one.key, one.amount) for one in found.lines] == [
            (7, "s-3", 118_000),
            (8, "s-4", -4_510),
        ], encoding
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (("Summary",), (None, "as of", "today"), ("Customer", "Total"), ("s-1", 12.5)):
        book.active.append(row)
    book.save(file)
    how = Reading(kind="student_balance", currency="USD", column_map={"Customer": "key", "Total": "amount"})
    assert [(one.line, one.amount) for one in read_opening_file(file.getvalue(), how).lines] == [(4, 1_250)]


@pytest.mark.parametrize(
    ("kind", "debit", "credit", "amount"),
    [
        ("student_balance", "", "12.50", 1_250),
        ("student_balance", "12.50", "0.00", -1_250),
        ("student_item", "12.50", "", 1_250),
        ("student_item", "0", "12.50", -1_250),
        ("instructor", "", "12.50", 1_250),
        ("bank", "12.50", "", 1_250),
        ("tax", "-12.50", "", 1_250),
        ("stripe", "", "", None),
    ],
)
def test_debit_and_credit_are_what_the_kind_makes_of_them(
    kind: str, debit: str, credit: str, amount: int | None
) -> None:
    key = "" if kind in ("bank", "tax", "stripe") else "x-1"
    found = read(f"kind,key,reference,Debit,Credit\n{kind},{key},r,{debit},{credit}\n")
    assert [one.amount for one in found.lines] == ([] if amount is None else [amount])
    assert found.faults == []
    if amount is not None:
        side = f"{debit} Dr" if debit.strip("0.") else f"{credit} CR"
        marked = read(f"kind,key,reference,amount\n{kind},{key},r,{side}\n")
        assert [one.amount for one in marked.lines] == [amount]


def test_a_side_is_never_turned_and_never_both() -> None:
    text = "key;amount\ns-1;80,50 S\ns-2;1.250,00H\ns-3;5,00 -S\ns-4;5,00 X\n"
    found = read(text, kind="student_balance", decimals="comma")
    assert [one.amount for one in found.lines] == [-8_050, 125_000]
    assert [one.line for one in found.faults] == [4, 5]
    [fault, _] = read(text, kind="student_balance", decimals="comma", turned=True).faults[:2]
    assert "leave out --turn-signs" in fault.sentence
    [both] = read("key,debit,credit\ns-1,5,6\n", kind="student_balance").faults
    assert "debit and credit are both filled" in both.sentence
    with pytest.raises(FileUnreadable, match="has amount, and debit or credit as well"):
        read("key,amount,debit\n", kind="student_balance")


def test_what_the_ledger_would_refuse_of_a_line_by_itself_is_said_with_its_line() -> None:
    found = read(
        "kind,key,reference,amount\nstudent_blance,s-1,,5\nowner,,,5\nstudent_item,s-1,,5\ntax,me,,5\n"
        f"owner,{'o' * 101},,5\nowner,o-1,,5\nowner,o-1,,5\nowner,o\x07,,5\n"
        'student_item,s-1,"bill\n4711",5\n'
    )
    assert [(one.line, one.key, one.reference) for one in found.lines] == [
        (7, "o-1", ""),
        (10, "s-1", "bill 4711"),
    ]
    says = {fault.line: fault.sentence for fault in found.faults}
    assert list(says) == [2, 3, 4, 5, 6, 8, 9]
    assert "is no kind of opening line" in says[2]
    assert "say whom it is about" in says[3]
    assert "give it a reference" in says[4]
    assert "has no key" in says[5]
    assert "is no word of at most 100 characters" in says[6]
    assert "stands in line 7 too" in says[8]
    assert "is no word of at most 100 characters" in says[9]


def test_a_line_that_is_posted_with_another_amount_is_named_by_its_line() -> None:
    found = read("kind,key,reference,amount\nstudent_item,s-1,b,5\nowner,o-1,,7\n")
    standing = {found.lines[0].about: -500, found.lines[1].about: 701}
    assert [fault.line for fault in changed_lines(found.lines, standing)] == [3]
    assert changed_lines(found.lines, {}) == []


def test_names_become_ids_by_a_file_of_names() -> None:
    for written in ('name,id\n"Sample, Fern",s-2\nIda  Example,s-1\n', "Sample, Fern;s-2\nida example;s-1\n"):
        people = read_people(b"\xef\xbb\xbf" + written.encode())
        found = read(
            'key,amount\nIDA Example,5\n"Sample,  Fern",6\no-1,7\n',
            kind="student_balance",
            people=people,
        )
        assert [one.key for one in found.lines] == ["s-1", "s-2", "o-1"]


def test_a_workbook_is_read_with_its_own_decimals() -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in (("key", "amount"), ("s-1", 12.5), ("s-2", -1180)):
        book.active.append(row)
    book.save(file)
    how = Reading(kind="student_balance", currency="USD")
    assert [one.amount for one in read_opening_file(file.getvalue(), how).lines] == [1_250, -118_000]
    comma = Reading(kind="student_balance", currency="USD", decimals="comma")
    assert [one.amount for one in read_opening_file(file.getvalue(), comma).lines] == [1_250, -118_000]


@pytest.mark.parametrize(
    ("text", "maps", "says"),
    [
        ("", (), "the file is empty"),
        ("key,amount\n", (), "no column for kind"),
        ("kind,key\n", (), "no column for amount"),
        ("kind,amount,Amount\n", (), "two columns are both amount"),
        ("kind,amount\n", ("Saldo=amount",), "--map names what the file does not have: Saldo"),
        ("kind,amount\n", ("amount=saldo",), "the names are kind, key, reference, amount, currency"),
        ("a,b\n", ("a=amount", "b=amount"), "is mapped twice"),
    ],
)
def test_a_file_without_its_columns_is_refused_as_a_whole(
    text: str, maps: tuple[str, ...], says: str
) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(text, *maps)
    assert says in str(refused.value)
