"""Files of opening balances: amounts as exports write them, columns of other names, rows left out."""

import io

import pytest
from openpyxl import Workbook

from hobbs.flights.column_maps import column_map
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals, amount
from hobbs.opening.file import COLUMNS, OpeningFile, Reading, read_opening_file


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
