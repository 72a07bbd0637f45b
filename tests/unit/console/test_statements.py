"""A statement says what was known when it was issued; what came later is told apart, with its causes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.statements import Month, months, stated

ZONE = "America/New_York"


def entry(occurred: str, recorded: str, amount: int, kind: str = "flight") -> dict[str, Any]:
    return {
        "occurred_at": datetime.fromisoformat(occurred), "recorded_at": datetime.fromisoformat(recorded),
        "amount": amount, "event_type": kind, "source": f"{kind}:x:1", "memo": "", "currency": "USD",
    }  # fmt: skip


def may() -> Month:
    found = Month.of("2026-05", ZONE)
    assert found is not None
    return found


def test_a_month_is_the_school_s_and_is_issued_on_the_third_day_after_it() -> None:
    assert may().since == datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert may().until == datetime(2026, 6, 1, 4, tzinfo=UTC)
    assert may().issued_at == datetime(2026, 6, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "2026", "2026-13", "2026-5", "1800-01", "2026-05-01", "２０２６-05"])
def test_what_is_no_month_is_none(name: str) -> None:
    assert Month.of(name, ZONE) is None


def test_what_becomes_known_later_changes_no_statement_that_was_issued() -> None:
    known = [
        entry("2026-05-02T12:00:00Z", "2026-05-02T12:01:00Z", 5_000),
        entry("2026-05-09T12:00:00Z", "2026-05-09T12:01:00Z", -2_000, "transfer"),
    ]
    late = [
        entry("2026-04-30T12:00:00Z", "2026-07-01T12:00:00Z", 700, "adjustment"),
        entry("2026-05-02T12:00:00Z", "2026-06-20T12:00:00Z", -1_000, "adjustment"),
    ]
    issued = stated("instructor:i", may(), 1_000, known)
    now = stated("instructor:i", may(), 1_000, [late[0], known[0], late[1], known[1]])
    assert (now.opening, now.lines, now.closing, now.totals) == (
        issued.opening, issued.lines, issued.closing, issued.totals,
    )  # fmt: skip
    assert [line["balance"] for line in now.lines] == [6_000, 4_000]
    assert now.later == late
    assert (now.closing, now.closing_now) == (4_000, 3_700)
    assert now.number == "2026-05/instructor:i"


@given(
    st.lists(
        st.tuples(st.integers(0, 150), st.integers(0, 90), st.integers(-(10**6), 10**6).filter(bool)),
        max_size=20,
    )
)
def test_each_statement_begins_where_the_last_one_ended(drawn: list[tuple[int, int, int]]) -> None:
    begin = datetime(2026, 4, 1, 12, tzinfo=UTC)
    known = [
        entry(
            str(begin + timedelta(days=day)),
            str(begin + timedelta(days=day, hours=1) + timedelta(days=late)),
            amount,
        )
        for day, late, amount in sorted(drawn)
    ]
    last: int | None = None
    for name in ("2026-05", "2026-06", "2026-07"):
        month = Month.of(name, ZONE)
        assert month is not None
        opening = sum(
            one["amount"]
            for one in known
            if one["occurred_at"] < month.since and one["recorded_at"] <= month.before
        )
        assert last in (None, opening)
        shown = [
            one
            for one in known
            if one["occurred_at"] < month.until
            and (one["occurred_at"] >= month.since or one["recorded_at"] > month.before)
        ]
        last = stated("student:s", month, opening, shown).closing


def test_a_file_holds_the_lines_of_the_page_between_its_balances() -> None:
    found = stated("student:s", may(), -100, [entry("2026-05-02T12:00:00Z", "2026-05-02T12:01:00Z", -5_000)])
    rows = found.rows(may(), "USD")
    assert [row["balance"] for row in rows] == [-100, -5_100, -5_100, -5_100]
    assert sum(row["amount"] or 0 for row in rows) == found.closing - found.opening


def test_the_months_of_a_wallet_begin_with_its_first_entry() -> None:
    first, now = datetime(2025, 12, 31, 12, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC)
    assert [one.name for one in months(first, now, ZONE)] == ["2026-02", "2026-01", "2025-12"]
    assert months(None, now, ZONE) == []
