"""Whether a student is charged now: what was decided and declined before counts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from services.receivables.domain.auto_charges import (
    DECLINES_IN,
    RETURNS_IN,
    Choice,
    LastCharge,
    Standing,
    decide,
    declines_max,
)
from services.receivables.domain.saved_methods import SavedMethod

NOW: Final = datetime(2026, 6, 10, 16, tzinfo=UTC)
TODAY: Final = date(2026, 6, 10)
CHOICE: Final = Choice(
    student="anna",
    occasion="each_flight",
    threshold=None,
    day=None,
    most=100_000,
    most_a_day=100_000,
    chosen_on=TODAY,
)
CARD: Final = SavedMethod(
    payment_method="pm_1", customer="cus_1", method_type="card", set_up_at=NOW - timedelta(days=30)
)
OWES: Final = Standing(
    currency="USD",
    owed=20_000,
    disputed=0,
    charged_today=0,
    recent=0,
    declines=0,
    thresholds=0,
    newest_flight="flight:F1:1",
    last=None,
    used=frozenset(),
)


def declined(ago: timedelta) -> LastCharge:
    """A decline without a retry: the bank stopped it."""
    return LastCharge(
        cause="flight:F0:1", attempt=1, state="declined", kind=None, answered_at=NOW - ago, retry_at=None
    )


@pytest.mark.parametrize(("recent", "is_charged"), [(0, True), (2, True), (3, False), (4, False)])
def test_of_ten_minutes_three_charges_are_the_most(recent: int, is_charged: bool) -> None:
    charge = decide(CHOICE, CARD, replace(OWES, recent=recent), NOW, TODAY)
    assert (charge is not None) is is_charged
    assert charge is None or (charge.amount, charge.attempt) == (20_000, 1)


@pytest.mark.parametrize(("minutes", "is_charged"), [(1, False), (59, False), (60, True)])
def test_after_a_decline_a_student_rests_for_an_hour(minutes: int, is_charged: bool) -> None:
    after = replace(OWES, last=declined(timedelta(minutes=minutes)), declines=1)
    assert (decide(CHOICE, CARD, after, NOW, TODAY) is not None) is is_charged


@pytest.mark.parametrize(
    ("choice", "ago", "owed", "asked"),
    [
        ({}, timedelta(minutes=59), 20_000, None),
        ({}, timedelta(hours=1), 20_000, "flight:F0:1#2"),
        ({}, timedelta(days=1), 20_000, "flight:F1:1"),
        ({"occasion": "threshold", "threshold": 50_000}, timedelta(hours=2), 49_999, None),
        ({"occasion": "threshold", "threshold": 50_000}, timedelta(hours=2), 50_000, "flight:F0:1#2"),
    ],
)
def test_a_charge_that_was_not_made_is_asked_for_anew_for_a_day(
    choice: Any, ago: timedelta, owed: int, asked: str | None
) -> None:
    """The student paid by a page meanwhile: what they owe since is charged as they chose, and no sooner."""
    last = LastCharge(
        cause="flight:F0:1", attempt=1, state="not_made", kind=None, answered_at=NOW - ago, retry_at=None
    )
    charge = decide(replace(CHOICE, **choice), CARD, replace(OWES, owed=owed, last=last), NOW, TODAY)
    assert (charge and charge.cause) == asked


def test_a_card_that_was_set_up_since_ends_the_rest_but_not_the_guard_of_bursts() -> None:
    after = replace(OWES, last=declined(timedelta(minutes=5)), declines=1)
    anew = replace(CARD, set_up_at=NOW - timedelta(minutes=1))
    charge = decide(CHOICE, anew, after, NOW, TODAY)
    assert charge is not None
    assert (charge.cause, charge.attempt) == ("flight:F0:1#2", 2)
    assert decide(CHOICE, anew, replace(after, recent=3), NOW, TODAY) is None


# What docs/operations/cards.md says of each network: tries of a method, with the first, in days.
RULES: Final = (
    ("Nacha", True, 3, 180),
    ("Visa", False, 20, 30),
    ("Visa, as it was", False, 15, 30),
    ("Mastercard", False, 10, 1),
    ("Mastercard", False, 35, 30),
    ("Mastercard in Brazil", False, 7, 30),
)


@pytest.mark.parametrize(("network", "is_bank_account", "tries", "days"), RULES)
def test_no_method_is_tried_more_often_than_a_network_allows(
    network: str, is_bank_account: bool, tries: int, days: int
) -> None:
    counted = RETURNS_IN if is_bank_account else DECLINES_IN
    assert counted >= timedelta(days=days), network
    assert declines_max(is_bank_account=is_bank_account) <= tries, network
    method = replace(CARD, method_type="us_bank_account" if is_bank_account else "card")
    assert decide(CHOICE, method, replace(OWES, declines=tries), NOW, TODAY) is None
