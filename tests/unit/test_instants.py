"""Instants of events: text with an offset, within the calendar in UTC."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.fields import CalendarDate, Instant

INSTANT, DATE = TypeAdapter(Instant), TypeAdapter(CalendarDate)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1900-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
        ("1899-12-31T20:00:00-05:00", datetime(1900, 1, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59.999999Z", datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2201-01-01T04:00:00+05:00", datetime(2200, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_the_calendar_is_of_instants_in_utc(text: str, instant: datetime) -> None:
    assert INSTANT.validate_python(text) == instant


@pytest.mark.parametrize(
    "wrong",
    [
        "2200-12-31T23:59:59-05:00",
        "1900-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "2026-05-22T16:45:00",
        1767225600,
        1767225600.5,
        "1767225600",
        "-1767225600",
        b"2026-05-22T16:45:00Z",
        True,
        None,
        "",
    ],
)
def test_what_is_no_instant_of_an_event_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(wrong)


@pytest.mark.parametrize("wrong", [20595, "20595", "1779408000", 0, "1899-12-31", "2201-01-01", True])
def test_what_is_no_date_of_an_event_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        DATE.validate_python(wrong)
