"""Polls a condition, with a time limit."""

import time
from collections.abc import Callable


class NotInTime(Exception):
    """A condition did not become true within its limit."""


def wait_until(condition: Callable[[], bool], *, what: str, within_s: float, every_s: float = 0.05) -> None:
    """Return once `condition()` is true; raise NotInTime after `within_s`."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTime(f"{what} was not ready within {within_s:.0f} s")
        time.sleep(every_s)
