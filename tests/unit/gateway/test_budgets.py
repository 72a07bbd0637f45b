"""Budgets: the slowest reader gives way, webhooks and flights do not share, a key has so many a minute."""

import asyncio

import pytest

from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Budget, Quotas


async def slow(budget: Budget, finished: list[str], name: str, seconds: float) -> None:
    try:
        async with budget.reading():
            await asyncio.sleep(seconds)
        finished.append(name)
    except ProblemRaised as refused:
        finished.append(f"{name} {refused.problem.kind}")


async def test_when_all_places_are_taken_the_slowest_reader_gives_way() -> None:
    budget, finished = Budget(reading_max=2), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in ("first", "second", "third"):
            tasks.create_task(slow(budget, finished, name, 30 if name == "first" else 0.05))
    assert finished == ["first too_slow", "second", "third"]


async def test_a_body_that_never_ends_is_given_up() -> None:
    budget, finished = Budget(body_seconds_max=0.05), list[str]()
    await slow(budget, finished, "endless", 30)
    assert finished == ["endless too_slow"]


def test_work_is_counted_and_given_back() -> None:
    budget = Budget(working_max=1)
    budget.begin()
    with pytest.raises(ProblemRaised) as refused:
        budget.begin()
    assert refused.value.problem.kind == "try_again"
    budget.end()
    budget.begin()


def test_a_key_saves_up_a_minute_and_is_then_told_when_to_come_back() -> None:
    now = [100.0]
    quotas = Quotas(2, lambda: now[0])
    quotas.take(1)
    quotas.take(1)
    with pytest.raises(ProblemRaised) as refused:
        quotas.take(1)
    assert (refused.value.problem.kind, refused.value.problem.members) == ("too_many", {"retry_after_s": 30})
    quotas.take(2)  # another key is not held up
    now[0] += 29
    with pytest.raises(ProblemRaised) as refused:
        quotas.take(1)
    assert refused.value.problem.members == {"retry_after_s": 1}
    now[0] += 1
    quotas.take(1)
    now[0] += 3_600
    quotas.take(1)
    quotas.take(1)
    with pytest.raises(ProblemRaised):
        quotas.take(1)
