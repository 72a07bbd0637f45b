"""Reads of Stripe stay within its allowance, at rest and in trouble, by the waits alone."""

from datetime import timedelta

import pytest

from services.payouts.domain.reading import (
    Backoff,
    School,
    Wait,
    allowance,
    percent_used,
    reads_without_webhooks,
    stretch_at,
)
from tests.support.payouts import SETTINGS

AT_REST = School(unready=0, settled=10, weekly=0, short=False, charges=0, starts=4)
IN_TROUBLE = School(unready=10, settled=0, weekly=0, short=True, charges=0, starts=100)
BUSY = School(unready=1, settled=0, weekly=10, short=False, charges=60, starts=20)
UNREADY = Wait(first=timedelta(seconds=30), most=timedelta(days=1))


@pytest.mark.parametrize(
    ("school", "most"),
    [(AT_REST, 3_500), (IN_TROUBLE, 4_000), (BUSY, 6_000)],
    ids=["rest", "trouble", "busy"],
)
def test_a_small_school_reads_far_less_in_a_month_than_stripe_allows(school: School, most: int) -> None:
    reads = reads_without_webhooks(SETTINGS.schedule, school)
    assert sum(reads.values()) <= most <= 6_000 < allowance(0)


def test_a_month_of_each_trouble() -> None:
    reads = reads_without_webhooks(SETTINGS.schedule, IN_TROUBLE)
    assert reads == {
        "accounts that are not ready": 462,
        "settled accounts": 0,
        "accounts with money under way": 0,
        "short balance": 730,
        "list of events": 1_443,
        "movements of the balance": 720,
        "fees of charges": 0,
        "starts": 400,
    }


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(), timedelta(seconds=30)),
        (timedelta(seconds=30), timedelta(seconds=30)),
        (timedelta(minutes=8), timedelta(minutes=8)),
        (timedelta(hours=30), timedelta(days=1)),
    ],
)
def test_a_wait_is_as_long_as_it_has_been_so(age: timedelta, wait: timedelta) -> None:
    assert UNREADY.after(age) == wait
    assert UNREADY.after(age, stretch=4) == 4 * wait


def test_a_lost_webhook_of_an_account_is_found_within_twice_its_time_and_a_day() -> None:
    at = timedelta()
    while at < timedelta(days=10):
        after = at + UNREADY.after(at)
        assert after <= max(2 * at, timedelta(seconds=30)) or after - at <= timedelta(days=1)
        at = after


def test_what_cannot_be_read_is_tried_a_few_dozen_times_in_a_month_and_then_no_more() -> None:
    backoff = SETTINGS.put_off.unread
    tries = next(attempts for attempts in range(1_000) if backoff.is_over(attempts))
    assert 40 <= tries <= 50
    assert sum((backoff.after(n) for n in range(1, tries)), timedelta()) >= timedelta(days=30)
    assert backoff.after(1) == timedelta(seconds=1)
    assert backoff.after(10_000) == timedelta(days=1)


def test_a_backoff_that_never_waits_is_never_over() -> None:
    assert not Backoff(first=timedelta(), most=timedelta(), ends_after=timedelta(days=1)).is_over(100)


@pytest.mark.parametrize(("transactions", "reads"), [(0, 10_000), (20, 10_000), (21, 10_500), (100, 50_000)])
def test_the_allowance_is_500_a_transaction_and_10_000_at_least(transactions: int, reads: int) -> None:
    assert allowance(transactions) == reads


@pytest.mark.parametrize(
    ("reads", "transactions", "stretch"),
    [(0, 0, 1), (4_999, 0, 1), (5_000, 0, 2), (7_500, 0, 4), (9_000, 0, 16), (9_000, 100, 1), (10**7, 0, 16)],
)
def test_the_loops_slow_down_as_the_allowance_is_used(reads: int, transactions: int, stretch: int) -> None:
    assert stretch_at(percent_used(reads, transactions)) == stretch


def test_with_the_slowest_loops_a_month_of_every_trouble_fits_into_what_is_left() -> None:
    """Whatever used nine tenths of the allowance, the loops alone do not use the last."""
    slow = SETTINGS.schedule
    everything = School(unready=10, settled=10, weekly=0, short=True, charges=0, starts=0)
    reads = sum(reads_without_webhooks(slow, everything).values())
    assert reads / stretch_at(90) <= 0.1 * allowance(0)
