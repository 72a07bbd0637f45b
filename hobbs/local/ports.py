"""Free loopback ports."""

import contextlib
import json
import socket
from collections.abc import Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return distinct ports on which nothing listens now.

    All are held open until the last is found, so they differ. Another process may still bind one of them
    first; a server that can bind port 0 itself should do that.
    """
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for candidate in sockets:
            candidate.bind((LOOPBACK, 0))
        return [candidate.getsockname()[1] for candidate in sockets]


def free_port() -> int:
    return free_ports(1)[0]


def remembered_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """A port for each name: those in `file` when all are still free, else new ones, which `file` keeps."""
    if file.exists():
        last: dict[str, int] = json.loads(file.read_text())
        if set(last) == set(names) and not any(map(answers, last.values())):
            return last
    chosen = dict(zip(names, free_ports(len(names)), strict=True))
    file.write_text(json.dumps(chosen, indent=2) + "\n")
    return chosen


def answers(port: int) -> bool:
    """True when a process accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
