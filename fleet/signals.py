"""What asks a process to stop, and waits that end then."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from typing import Any, Final

CANCEL_AGAIN_S: Final = 3.0


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` when SIGTERM or SIGINT comes, from the running loop; it takes the place of the last one."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until who works here is asked to stop."""
    await within(seconds, stopping)


async def within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for an event, so long at most; whether it came.

    `asyncio.wait_for` of Python 3.11 takes what comes in the same turn as its cancellation for an answer: a
    task that ends when it is cancelled would go on, and its process never end.
    """
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended: an error that comes while one is cancelled hides that it was."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
