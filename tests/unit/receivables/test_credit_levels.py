"""What is said at a crossing of a limit."""

from typing import Any

import pytest

from services.receivables.domain.credit import Credit, Level
from services.receivables.domain.credit_levels import Change


def change(was: Level, level: Level, **stands: Any) -> Change:
    credit: dict[str, Any] = {
        "student": "anna", "currency": "USD", "posted": -42_000, "pending": 0, "available": -42_000,
        "disputed": 0, "credit_limit": 50_000, "room": 8_000, "used_percent": 84, "level": level,
        "frozen": False, "own_limit": False, "until": None,
    }  # fmt: skip
    return Change(credit=Credit(**credit | stands), was=was, number=1)


@pytest.mark.parametrize(
    ("was", "level", "crossing", "matters"),
    [
        ("ok", "near", "near", True),
        ("near", "close", "close", True),
        ("ok", "exceeded", "exceeded", True),
        ("exceeded", "close", "recovered", True),
        ("exceeded", "ok", "recovered", True),
        ("close", "near", "recovered", False),
        ("near", "ok", "recovered", False),
    ],
)
def test_a_higher_level_is_named_and_a_lower_one_is_recovered(
    was: Level, level: Level, crossing: str, matters: bool
) -> None:
    one = change(was, level)
    assert (one.crossing, one.matters) == (crossing, matters)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (change("ok", "near"), "84 % of the limit of 500.00 USD is used; 80.00 USD are left"),
        (change("close", "exceeded", room=-250, used_percent=100), "2.50 USD are used beyond the limit"),
        (change("near", "ok", room=50_000, used_percent=0), "0 % of the limit"),
        (change("exceeded", "ok", credit_limit=0, room=0, used_percent=None), "0.00 USD is the limit"),
        (change("exceeded", "ok", credit_limit=None, room=None, used_percent=None), "no limit any more"),
    ],
)
def test_what_happens_next_is_said(one: Change, words: str) -> None:
    assert words in one.in_words()
