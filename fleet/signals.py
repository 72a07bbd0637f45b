"""What asks a process to stop, and waits that end then."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` when SIGTERM or SIGINT comes, from the running loop; it takes the place of the last one."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until who works here is asked to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
