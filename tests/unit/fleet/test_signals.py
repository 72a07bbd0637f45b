"""Waits that end with an event, with time or with a cancellation, also where two of them come at once."""

import asyncio

import pytest

from fleet import signals
from fleet.signals import within


@pytest.mark.parametrize("turns", range(6))
async def test_a_wait_is_cancelled_also_in_the_turn_in_which_its_event_comes(turns: int) -> None:
    """turns: of the loop, between the event and the cancellation."""
    event, went_on = asyncio.Event(), list[int]()

    async def wait() -> None:
        await within(60.0, event)
        went_on.append(turns)
        await asyncio.sleep(60.0)

    task = asyncio.create_task(wait())
    for _ in range(5):
        await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    had_gone_on = bool(went_on)
    task.cancel()
    await asyncio.wait({task}, timeout=1.0)
    assert task.cancelled()
    assert bool(went_on) == had_gone_on


async def test_a_wait_says_whether_its_event_came() -> None:
    event = asyncio.Event()
    assert await within(0.01, event) is False
    event.set()
    assert await within(0.01, event) is True


async def test_a_task_that_an_error_keeps_from_ending_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a statement that fails in that moment keeps a relay, which goes on after errors."""
    monkeypatch.setattr(signals, "CANCEL_AGAIN_S", 0.01)
    failed = list[ConnectionError]()

    async def go_on() -> None:
        while True:
            try:
                await fail_when_cancelled()
            except ConnectionError as error:
                failed.append(error)
            await asyncio.sleep(60.0)

    async def fail_when_cancelled() -> None:
        try:
            await asyncio.sleep(60.0)
        except asyncio.CancelledError:
            raise ConnectionError("the statement was under way") from None

    task = asyncio.create_task(go_on())
    await asyncio.sleep(0)
    async with asyncio.timeout(5.0):
        await signals.end([task])
    assert task.cancelled()
    assert len(failed) == 1
