"""Child processes of the local stack: each in its own group, with its output in a file; ends with its parent.

A terminal's Ctrl-C reaches only the parent, which stops its children in the order it wants.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from hobbs.local import fork_server
from hobbs.local.fork_server import Forked

TETHER = Path(__file__).with_name("tether.py")


class ChildFailed(Exception):
    """A child process ended, or did not get ready in time; the sentence names its log."""


class Child:
    """One running child process; `name` is its log file's name too."""

    def __init__(self, name: str, process: subprocess.Popen[bytes] | Forked, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> Self:
        """Start `command` with its output in `log`. Call it from the main thread (see tether.py)."""
        tether = [sys.executable, "-I", "-S", str(TETHER), str(int(death_signal)), str(os.getpid())]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*tether, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else {**os.environ, **environment},
                start_new_session=True,
            )
        return cls(name, process, log)

    @classmethod
    def start_module(
        cls, name: str, module: str, *arguments: str, log: Path, environment: Mapping[str, str]
    ) -> Self:
        """Start `python -m module arguments` from the fork server, with its output in `log`."""
        with log.open("ab") as output:
            process = fork_server.start(
                module,
                arguments,
                output=output.fileno(),
                errors=output.fileno(),
                environment={**os.environ, **environment},
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def require_running(self) -> None:
        if self.exit_code is not None:
            raise ChildFailed(
                f"{self.name} ended with exit code {self.exit_code}; last lines of {self.log}:\n{self.tail()}"
            )

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def signal(self, number: signal.Signals) -> None:
        """Signal the process itself, not its children."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """True once it has ended; False when it still runs after `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the whole process group at once."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()


@contextlib.contextmanager
def interrupts_put_off() -> Iterator[None]:
    """Have Ctrl-C wait for the end of the block: every child that it starts is then known to who stops it.

    For the main thread only. A signal mask would do the same, but children would inherit it.
    """
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def stop_all(
    children: Iterable[Child], *, by: signal.Signals = signal.SIGTERM, grace_s: float = 25.0
) -> list[Child]:
    """Signal all children at once, kill those that still run after `grace_s`; returns the killed ones."""
    running = [child for child in children if child.exit_code is None]
    for child in running:
        child.signal(by)
    deadline = time.monotonic() + grace_s
    stubborn = [child for child in running if not child.wait(max(0.0, deadline - time.monotonic()))]
    for child in stubborn:
        child.kill()
    return stubborn
