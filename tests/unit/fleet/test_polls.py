"""What one poll of a consumer brings: the records that waited, and those that came while it rested."""

import asyncio
from types import SimpleNamespace
from typing import Any

from fleet.consumers import _gather_polls
from fleet.member import Consumer
from fleet.shared_batches import SharedBatches


async def polled(answers: list[dict[str, list[int]]], *, rested: bool, most: int = 10, times: int = 1) -> Any:
    """Poll a broker that has these answers; what came last, and the answers it was not asked for."""

    async def getmany(*, timeout_ms: int, max_records: int) -> dict[str, list[int]]:
        assert timeout_ms > 0
        answer = answers.pop(0)
        in_hand.extend(answer)
        assert sum(map(len, answer.values())) <= max_records
        if not answer:
            await asyncio.sleep(timeout_ms / 1000)
        return answer

    async def handler(_: object) -> None:
        raise AssertionError

    async def commit_what_was_passed() -> None:
        assert in_hand == [], "records would be committed before they are handled"

    in_hand: list[str] = []
    kafka = SimpleNamespace(getmany=getmany, commit_what_was_passed=commit_what_was_passed)
    consumer = Consumer(topic="t", shared=SharedBatches(handler), batch_max=most, rested=rested)
    consumer.subscriber = SimpleNamespace(consumer=kafka)
    _gather_polls(consumer, "s")
    for _ in range(times):
        found = await kafka.getmany(timeout_ms=10, max_records=most)
    return found, answers


async def test_after_a_rest_what_came_meanwhile_is_in_the_same_batch_behind_what_waited() -> None:
    answers = [{"p0": [1]}, {"p0": [2], "p1": [3]}, {"p1": [4]}, {}]
    assert await polled(answers, rested=True) == ({"p0": [1, 2], "p1": [3, 4]}, [])


async def test_without_a_rest_the_first_record_waits_for_nothing() -> None:
    assert await polled([{"p0": [1]}, {"p0": [2]}], rested=False) == ({"p0": [1]}, [{"p0": [2]}])


async def test_a_full_batch_is_not_added_to() -> None:
    assert await polled([{"p0": [1, 2]}, {"p0": [3]}], rested=True, most=2) == (
        {"p0": [1, 2]},
        [{"p0": [3]}],
    )


async def test_no_records_are_none() -> None:
    assert await polled([{}, {"p0": [1]}], rested=True) == ({}, [{"p0": [1]}])


async def test_the_first_record_after_a_pause_waits_for_nothing() -> None:
    answers = [{}, {"p0": [1]}, {"p0": [2]}]
    assert await polled(answers, rested=True, times=2) == ({"p0": [1]}, [{"p0": [2]}])
