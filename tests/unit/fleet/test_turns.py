"""Members of one topic in one process: when they work one after the other, and how long they rest."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from fleet.consumers import (
    BATCH_EVERY_S,
    MANY,
    MANY_EVERY_S,
    Consumer,
    Consumers,
    Handler,
    _every_s,
    _ReadAgain,
)
from fleet.envelope import Record
from fleet.settings import Settings

BATCH_MAX = 100
CONSUMERS = Consumers("ledger", Settings(database_url=SecretStr("postgresql://nowhere"), kafka_bootstrap="x"))


def batch(records: int) -> Any:
    raw = ConsumerRecord("t", 0, 0, 0, 0, b"k", b"{}", None, 1, 2, ())

    async def ack() -> None:
        return

    return SimpleNamespace(raw_message=(raw,) * records, ack=ack)


def members(*handlers: Handler) -> list[Consumer]:
    turn = asyncio.Lock()
    return [Consumer(topic="t", handler=handler, batch_max=BATCH_MAX, turn=turn) for handler in handlers]


async def most_at_once(records: int) -> int:
    """How many of two members with so many records each work at the same time."""
    at_work = most = 0

    async def work(_: Sequence[Record]) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _turn_of_the_loop in range(10):
            await asyncio.sleep(0)
        at_work -= 1

    await asyncio.gather(*(CONSUMERS._process(member, batch(records)) for member in members(work, work)))
    return most


@pytest.mark.parametrize(
    ("records", "at_once"), [(MANY - 1, 2), (MANY, 1), (BATCH_MAX // 2 - 1, 1), (BATCH_MAX // 2, 2)]
)
async def test_members_take_turns_when_much_comes_and_they_are_not_behind(records: int, at_once: int) -> None:
    assert await most_at_once(records) == at_once


async def test_a_member_that_failed_keeps_nobody_from_their_turn_while_it_waits() -> None:
    handled = asyncio.Event()

    async def fail(_: Sequence[Record]) -> None:
        raise ConnectionError

    async def succeed(_: Sequence[Record]) -> None:
        handled.set()

    failing, other = members(fail, succeed)
    waits = asyncio.create_task(CONSUMERS._process(failing, batch(MANY)))
    await asyncio.sleep(0)
    await CONSUMERS._process(other, batch(MANY))
    assert handled.is_set()
    assert not waits.done()
    with pytest.raises(_ReadAgain):
        await waits


@pytest.mark.parametrize(
    ("records", "own_s", "expected_s"),
    [
        (MANY - 1, BATCH_EVERY_S, BATCH_EVERY_S),
        (MANY, BATCH_EVERY_S, MANY_EVERY_S),
        (BATCH_MAX // 2 - 1, BATCH_EVERY_S, MANY_EVERY_S),
        (BATCH_MAX // 2, BATCH_EVERY_S, BATCH_EVERY_S),
        (MANY, 1.0, 1.0),
    ],
)
def test_many_records_rest_longer_unless_they_are_a_backlog(
    records: int, own_s: float, expected_s: float
) -> None:
    async def nothing(_: Sequence[Record]) -> None:
        return

    consumer = Consumer(topic="t", handler=nothing, batch_max=BATCH_MAX, every_s=own_s)
    assert _every_s(consumer, records) == expected_s
