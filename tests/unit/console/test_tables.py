"""Lists: what a browser sends chooses among columns; a cursor holds values of the sorted column's type."""

import base64
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.reads.tables import Listing, Question, filter_names, question
from console.reads.transfers import PAYEES, TRANSFERS
from console.shown import csv_lines
from console.times import begin_of_day, end_of_day, shown_instant, span
from console.wording import hours, money

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_a_list_without_a_question_is_in_its_own_order() -> None:
    assert question(TRANSFERS, {}) == Question(order="-created_at")


def test_what_the_list_does_not_have_is_left_out_and_said() -> None:
    asked = question(TRANSFERS, {"sort": "password", "f.password": "x", "f.state": "rich"})
    assert (asked.order, asked.filters, len(asked.problems)) == ("-created_at", {}, 2)
    assert question(TRANSFERS, {"sort": "sentence"}).sorted_by != "sentence", "nobody sorts by it"


def test_filters_are_days_and_choices_of_the_list() -> None:
    asked = question(
        TRANSFERS, {"f.created_at.from": "2026-05-22", "f.created_at.to": "soon", "f.state": "held"}
    )
    assert asked.filters == {"created_at.from": "2026-05-22", "state": "held"}
    assert [problem for problem in asked.problems if "2026-05-22" in problem]


@pytest.mark.parametrize(
    "damaged",
    ["", "x", "!!", cursor(), cursor(1), cursor(1, ID), cursor("yesterday", ID), cursor("2026-05-22", ID),
     cursor(None, ID), cursor("2026-05-22T10:00:00+00:00", "x"), cursor([], ID), cursor({}, {}),
     cursor("2026-05-22T10:00:00", ID)],
)  # fmt: skip
def test_a_damaged_cursor_is_the_first_page(damaged: str) -> None:
    assert question(TRANSFERS, {"after": damaged}).after is None


def test_a_cursor_holds_what_the_column_holds() -> None:
    at = question(TRANSFERS, {"after": cursor("2026-05-22T10:00:00+00:00", ID)}).after
    assert at is not None
    assert at[0] == datetime(2026, 5, 22, 10, tzinfo=UTC)
    amount = question(TRANSFERS, {"sort": "amount", "after": cursor(2**63 - 1, ID)}).after
    assert amount is not None
    assert amount[0] == 2**63 - 1
    assert question(TRANSFERS, {"sort": "amount", "after": cursor(2**63, ID)}).after is None
    assert question(TRANSFERS, {"sort": "amount", "after": cursor(True, ID)}).after is None
    assert question(PAYEES, {"after": cursor("instructor:i-1", "instructor:i-1 USD")}).after is not None


@given(
    st.dictionaries(st.sampled_from(["sort", "after", "f.state", "f.wallet", "f.created_at.to"]), st.text())
)
def test_no_question_is_an_error(query: dict[str, str]) -> None:
    asked = question(TRANSFERS, query)
    assert TRANSFERS.column(asked.sorted_by) is not None
    assert asked.filters.keys() <= {name for name, _ in filter_names(TRANSFERS)}


def test_amounts_are_grouped_in_the_currency_s_own_decimals() -> None:
    assert money(123456, "USD") == "1,234.56"
    assert money(-123456, "USD") == "-1,234.56"
    assert money(-5, "USD") == "-0.05"
    assert money(1234567, "JPY") == "1,234,567"
    assert money(1234567, "KWD") == "1,234.567"
    assert money(None, "USD") == ""
    assert (hours(13), hours(-5), hours(None)) == ("1.3", "-0.5", "")


def test_a_file_has_texts_that_no_spreadsheet_computes_and_numbers_that_stay_numbers() -> None:
    listing = Listing(
        name="x", title="x", sql="", columns=[c for c in TRANSFERS.columns if c.name in
        ("created_at", "wallet", "amount", "sentence")], key="id", order="wallet",
    )  # fmt: skip
    row = {
        "created_at": datetime(2026, 7, 1, 3, tzinfo=UTC),
        "wallet": '=HYPERLINK("x")',
        "amount": -120_050,
        "currency": "USD",
        "sentence": "-5, said\nhe",
    }
    head, line = csv_lines(listing, [row], "America/New_York")
    assert head == '"Made","Payee","Amount","Why"\r\n'
    assert line == '"2026-06-30 23:00 EDT","\'=HYPERLINK(""x"")",-1200.50,"\'-5, said\nhe"\r\n'


def test_a_day_is_the_school_s() -> None:
    day = date(2026, 3, 8)  # clocks go forward: 23 hours
    assert begin_of_day(day, "America/New_York") == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert end_of_day(day, "America/New_York") == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert end_of_day(date.max, "Asia/Tokyo") > begin_of_day(date.min, "America/New_York")
    assert shown_instant(datetime(2026, 1, 1, tzinfo=UTC), "America/New_York") == "2025-12-31 19:00 EST"
    assert span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 4, 5, tzinfo=UTC)) == "3 d 5 h"
