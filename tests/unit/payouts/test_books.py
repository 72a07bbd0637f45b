"""Whether an announced journal is the one in the books, as a table."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.payouts.domain.books import Booked, booked, doubt

ID, NOON = UUID(int=1), datetime(2026, 5, 22, 12, tzinfo=UTC)
LINES = ("student:s1 USD -700", "instructor:i1 USD 700")
TRUE = booked("flight:F1:1", "flight", NOON, LINES)

CASES: dict[str, tuple[Booked, str, str]] = {
    "source": (TRUE._replace(source="flight:F2:1"), "not_as_in_the_ledger", "other source"),
    "type": (TRUE._replace(event_type="settlement"), "not_as_in_the_ledger", "other type"),
    "date": (TRUE._replace(occurred_at=NOON + timedelta(microseconds=1)), "not_as_in_the_ledger", "date"),
    "amount": (
        booked("flight:F1:1", "flight", NOON, ("student:s1 USD -701", "instructor:i1 USD 701")),
        "not_as_in_the_ledger",
        "entries",
    ),
    "an entry twice": (
        booked("flight:F1:1", "flight", NOON, (*LINES, LINES[1])),
        "not_as_in_the_ledger",
        "entries",
    ),
}


def test_the_same_is_believed_in_whatever_order_its_entries_are() -> None:
    turned = booked("flight:F1:1", "flight", NOON, LINES[::-1])
    assert doubt(ID, turned, {ID: TRUE}) is None


@pytest.mark.parametrize("case", CASES)
def test_what_differs_is_named(case: str) -> None:
    announced, reason, named = CASES[case]
    found = doubt(ID, announced, {ID: TRUE})
    assert found is not None
    assert found.reason == reason
    assert named in found.sentence


def test_what_is_not_there_is_not_believed_whatever_else_is_there() -> None:
    found = doubt(ID, TRUE, {UUID(int=2): TRUE})
    assert found is not None
    assert found.reason == "not_in_the_ledger"
