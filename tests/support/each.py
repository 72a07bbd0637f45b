"""One test of many things: pytest spends longer on a test than a check of a file takes."""

from collections.abc import Callable, Iterable
from functools import WRAPPER_ASSIGNMENTS
from typing import TypeVar

Thing = TypeVar("Thing")


def of_each(
    things: Iterable[Thing], *, named: Callable[[Thing], str]
) -> Callable[[Callable[[Thing], None]], Callable[[], None]]:
    """Make a check of one thing a test of all; it fails with every thing that fails, by name."""

    def decorate(check: Callable[[Thing], None]) -> Callable[[], None]:
        def test() -> None:
            faults = []
            for thing in things:
                try:
                    check(thing)
                except AssertionError as fault:
                    faults.append(f"{named(thing)}: {fault}")
            assert not faults, "\n".join(faults)

        for attribute in set(WRAPPER_ASSIGNMENTS) - {"__annotations__"}:
            setattr(test, attribute, getattr(check, attribute, None))
        return test

    return decorate
