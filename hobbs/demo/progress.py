"""Shows the demo's progress: bars on a terminal, a line for each change elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from hobbs.demo.figures import Progress as Figures


class Watcher(Protocol):
    def say(self, sentence: str) -> None:
        """Show a sentence about the next step."""

    def show(self, figures: Figures, expected: int) -> None:
        """Show the counts; `expected` flights were published."""


@contextlib.contextmanager
def watching(*, started: float) -> Iterator[Watcher]:
    """Yield progress bars when stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield Lines(started=started)
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress, started=started)


class Lines:
    """Plain lines with the seconds since the start."""

    def __init__(self, *, started: float) -> None:
        self._started = started
        self._last = ""

    def say(self, sentence: str) -> None:
        print(f"{time.monotonic() - self._started:5.1f} s  {sentence}", file=sys.stderr, flush=True)  # noqa: T201

    def show(self, figures: Figures, expected: int) -> None:
        line = "   ".join(f"{name} {done}/{total}" for name, done, total in measures(figures, expected))
        if line != self._last:
            self.say(line)
            self._last = line


class Bars:
    """Progress bars below the lines of `say`."""

    def __init__(self, progress: Progress, *, started: float) -> None:
        self._progress = progress
        self._started = started
        self._tasks: dict[str, TaskID] = {}

    def say(self, sentence: str) -> None:
        self._progress.console.print(f"[dim]{time.monotonic() - self._started:5.1f} s[/]  {sentence}")

    def show(self, figures: Figures, expected: int) -> None:
        for name, done, total in measures(figures, expected):
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=total)
            self._progress.update(self._tasks[name], completed=done, total=total)


def measures(figures: Figures, expected: int) -> list[tuple[str, int, int]]:
    """(name, done, of how many)"""
    return [
        ("flights billed or refused", figures.billed + figures.refused, expected),
        ("journals posted", figures.journals, max(figures.journals, figures.billed)),
        ("transfers sent", figures.sent, figures.transfers),
        ("transfers in the bank", figures.in_bank, figures.transfers),
    ]
