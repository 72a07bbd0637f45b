"""The pace of calls: never above the limit in any second, slower after a 429, back again in time."""

import asyncio
import random
import time
from bisect import bisect_left
from itertools import chain

import pytest

from fleet.stripe_limits import LIMITS, StripeLimits
from services.payouts.domain.answers import StripeAnswer
from services.payouts.domain.endpoints import Endpoint
from services.payouts.stripe.pacer import JITTER_S, Pace, Pacer


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def starts(pacer: Pacer, time: Time, calls: int, late_s: float = 0.0) -> list[float]:
    """When so many calls that are all ready would start; every wake-up is late by so much."""
    begun: list[float] = []
    for _ in range(calls):
        wait = pacer.wait_s()
        time.now += wait + (late_s if wait else 0.0)
        pacer.take()
        begun.append(time.now)
    return begun


def busiest_second(begun: list[float]) -> int:
    return max(bisect_left(begun, at + 1.0) - i for i, at in enumerate(begun))


def test_no_second_holds_more_than_the_limit() -> None:
    time = Time()
    begun = starts(Pacer(100.0, time), time, 1000)
    assert busiest_second(begun) <= 100
    assert len(begun) / (begun[-1] - begun[0]) >= 90


def test_late_wake_ups_are_made_up_for_within_the_limit() -> None:
    time = Time()
    begun = starts(Pacer(100.0, time), time, 1000, late_s=0.004)
    assert busiest_second(begun) <= 100
    assert len(begun) / (begun[-1] - begun[0]) >= 90


@pytest.mark.parametrize("limit", [5, 15, 25, 100])
def test_what_the_way_brings_closer_together_is_still_within_the_limit(limit: int) -> None:
    """Each call is late on its way by its own time, up to JITTER_S, and the event loop wakes up late too."""
    time, luck = Time(), random.Random(limit)
    pacer, arrived = Pacer(float(limit), time), list[float]()
    for _ in range(limit * 60):
        wait = pacer.wait_s()
        time.now += wait + (luck.choice((0.0, 0.0, 0.001, 0.2)) if wait else 0.0)
        pacer.take()
        arrived.append(time.now + luck.uniform(0.0, JITTER_S))
    assert busiest_second(sorted(arrived)) <= limit


def test_a_pause_earns_no_burst() -> None:
    time = Time()
    pacer = Pacer(100.0, time)
    starts(pacer, time, 10)
    time.now += 60
    assert busiest_second(starts(pacer, time, 300)) <= 100


@pytest.mark.parametrize("limit", [5, 15, 25, 30, 100])
@pytest.mark.parametrize("late_s", [0.0, 0.004, 0.03, 0.3])
def test_a_small_limit_is_kept_too_however_late_the_calls_are(limit: int, late_s: float) -> None:
    time = Time()
    pacer = Pacer(float(limit), time)
    begun = [at for _ in range(5) for at in after_a_pause(pacer, time, limit * 3, late_s)]
    assert busiest_second(begun) <= limit


def after_a_pause(pacer: Pacer, time: Time, calls: int, late_s: float) -> list[float]:
    time.now += 0.7
    return starts(pacer, time, calls, late_s=late_s)


@pytest.mark.parametrize("limit", [15, 25, 30, 100])
def test_ordinary_lateness_costs_less_than_a_tenth_of_the_limit(limit: int) -> None:
    time = Time()
    begun = starts(Pacer(float(limit), time), time, 1000, late_s=0.002)
    assert len(begun) / (begun[-1] - begun[0]) >= 0.9 * limit


async def test_a_process_that_was_held_up_sends_no_burst() -> None:
    pacer = Pacer(100.0)
    begun: list[float] = []

    async def call() -> None:
        await pacer.turn()
        begun.append(time.monotonic())

    calls = [asyncio.create_task(call()) for _ in range(120)]
    await asyncio.sleep(0.3)
    time.sleep(0.5)  # noqa: ASYNC251 - the whole process stands still
    await asyncio.gather(*calls)
    assert busiest_second(begun) <= 100
    assert max(bisect_left(begun, at + 0.05) - i for i, at in enumerate(begun)) <= 12


async def test_whoever_asks_first_goes_first() -> None:
    pacer, order = Pacer(1000.0), []

    async def call(number: int) -> None:
        await pacer.turn()
        order.append(number)

    await asyncio.gather(*(call(number) for number in range(50)))
    assert order == list(range(50))


def test_a_429_slows_down_once_for_all_that_was_under_way() -> None:
    time = Time()
    pacer = Pacer(100.0, time)
    before = pacer.per_s
    for _ in range(30):
        pacer.slow_down()
    assert 0.5 * before < pacer.per_s < 0.7 * before
    time.now += 2
    pacer.slow_down()
    assert pacer.per_s < 0.4 * before


def test_it_never_stops_altogether() -> None:
    time = Time()
    pacer = Pacer(100.0, time)
    for _ in range(100):
        time.now += 2
        pacer.slow_down()
    assert pacer.per_s >= 1


def test_it_recovers_while_all_goes_well_and_never_above_the_limit() -> None:
    time = Time()
    pacer = Pacer(100.0, time)
    before = pacer.per_s
    pacer.slow_down()
    slow = pacer.per_s
    for _ in range(50):
        time.now += 0.1
        pacer.went_well()
    assert slow < pacer.per_s < before
    for _ in range(1000):
        time.now += 0.1
        pacer.went_well()
    assert pacer.per_s == before


def test_it_says_how_many_calls_fit_into_a_while() -> None:
    time = Time()
    pacer = Pacer(100.0, time)
    assert 20 <= pacer.free_within(0.25) <= 25
    for _ in range(24):
        pacer.take()
    assert pacer.free_within(0.25) <= 5


async def test_calls_within_another_limit_count_against_both() -> None:
    pace = Pace(LIMITS["live"], reads_per_s=1000.0)
    transfers, payouts = pace.of("POST /v1/transfers"), pace.of("POST /v1/transfers/{id}/reversals")
    begun = time.monotonic()
    await asyncio.gather(*(lane.turn() for lane in [transfers, payouts] * 6))
    assert time.monotonic() - begun >= 2 / 23.0  # a few may follow at once


# Each endpoint, and all together


def limited(per_s: float = 100.0, of_each: float = 25.0, reads: float = 20.0) -> tuple[Time, Pace]:
    time = Time()
    return time, Pace(StripeLimits(in_all=per_s, of_each=of_each, of={}), reads_per_s=reads, clock=time)


def answer(reason: str | None, code: str = "rate_limit", status: int = 429) -> StripeAnswer:
    return StripeAnswer(status=status, body={"error": {"code": code}}, limited_by=reason)


def test_an_endpoint_has_room_of_its_own_and_all_together_no_more_than_their_limit() -> None:
    _, pace = limited(per_s=40.0)
    assert pace.of(Endpoint.SEND_TRANSFER).free_within(1.0) == 23
    for _ in range(20):
        pace.of(Endpoint.SEND_TRANSFER).limits[0].take()
    assert pace.of(Endpoint.SEND_TRANSFER).free_within(1.0) <= 6
    assert pace.of(Endpoint.SEND_PAYOUT).free_within(1.0) == 23
    for _ in range(30):
        pace.calls.take()
    assert pace.of(Endpoint.SEND_PAYOUT).free_within(1.0) <= 10


@pytest.mark.parametrize(
    ("reason", "code", "slower"),
    [
        ("global-rate", "rate_limit", {"calls"}),
        ("global-concurrency", "rate_limit", {"calls"}),
        ("endpoint-rate", "rate_limit", {"endpoint"}),
        ("endpoint-concurrency", "rate_limit", {"endpoint"}),
        (None, "rate_limit", {"calls", "endpoint"}),
        (None, "lock_timeout", set()),
    ],
)
def test_a_429_slows_what_it_names(reason: str | None, code: str, slower: set[str]) -> None:
    time, pace = limited()
    endpoint, other = (pace.of(e).limits[0] for e in (Endpoint.SEND_TRANSFER, Endpoint.SEND_PAYOUT))
    before = {"calls": pace.calls.per_s, "endpoint": endpoint.per_s, "other": other.per_s}
    time.now += 2
    pace.heard(Endpoint.SEND_TRANSFER, answer(reason, code))
    after = {"calls": pace.calls.per_s, "endpoint": endpoint.per_s, "other": other.per_s}
    assert {name for name in before if after[name] < before[name]} == slower


def test_both_ways_to_make_an_account_share_a_limit() -> None:
    _, pace = limited()
    assert pace.of("POST /v2/core/accounts").limits[0] is pace.of("POST /v1/accounts").limits[0]


def test_reads_take_a_fifth_of_all_calls_at_most() -> None:
    _, pace = limited(per_s=25.0)
    assert pace.reading(Endpoint.CHARGE).free_within(1.0) <= 5
    assert pace.of(Endpoint.TRANSFERS).free_within(1.0) == 23, "a lookup of money does not wait behind reads"


async def test_no_second_holds_more_of_an_endpoint_than_its_limit_whatever_else_is_called() -> None:
    pace = Pace(StripeLimits(in_all=200.0, of_each=40.0, of={}), reads_per_s=40.0)
    begun: dict[str, list[float]] = {endpoint: [] for endpoint in ("a", "b", "c")}

    async def call(endpoint: str) -> None:
        await pace.of(endpoint).turn()
        begun[endpoint].append(time.monotonic())

    await asyncio.gather(*(call(endpoint) for endpoint in begun for _ in range(50)))
    assert [busiest_second(times) <= 40 for times in begun.values()] == [True] * 3
    assert busiest_second(sorted(chain(*begun.values()))) <= 120


async def test_a_call_that_is_given_up_leaves_no_one_waiting() -> None:
    pace = Pace(StripeLimits(in_all=5.0, of_each=5.0, of={}), reads_per_s=5.0)
    lane = pace.of(Endpoint.SEND_TRANSFER)
    waiting = [asyncio.create_task(lane.turn()) for _ in range(8)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert [limit.waiting for limit in lane.limits] == [0, 0]
    await asyncio.wait_for(lane.turn(), 2)
