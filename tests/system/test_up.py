"""`hobbs up` keeps its data, stops cleanly, and leaves no process behind however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hobbs.local.postgres import NOBODY
from hobbs.local.waiting import wait_until
from tests.support.processes import processes_writing_under

READY_WITHIN_S = 90.0


class Up:
    """A process of `hobbs up` on a folder."""

    def __init__(self, folder: Path, *, output: str = "up.out") -> None:
        self._output = folder.with_name(output)
        self._marker = f"--data={folder}"
        with self._output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hobbs", "up", self._marker],
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o022,  # as most shells have it
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.said
            return "Ctrl-C stops everything" in self.said

        wait_until(ready, what="hobbs up", within_s=READY_WITHIN_S)

    def stop(self, by: signal.Signals) -> int:
        self.process.send_signal(by)
        return self.process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder; a process that still runs on it after the test is a failure."""
    folder = tmp_path / "data"
    yield folder
    wait_until(lambda: not processes_writing_under(folder), what="the end of every process", within_s=20)


def open_to_others(folder: Path) -> list[str]:
    """What another user of this machine may read, write or pass through; as root, Postgres is nobody."""
    found = []
    for path in (folder, *folder.rglob("*")):
        there = path.lstat()
        # Only Postgres' user is in its group, and only root in root's.
        others = 0o007 if there.st_gid in (0, NOBODY) and os.geteuid() == 0 else 0o077
        if there.st_mode & others and not path.is_symlink():
            found.append(f"{there.st_mode:o} {path}")
    return found


def test_a_stopped_fleet_starts_again_on_its_data_and_applies_the_school_once(folder: Path) -> None:
    first = Up(folder)
    first.wait_until_ready()
    assert "applying school.toml" in first.said
    assert first.stop(signal.SIGTERM) == 0, first.said
    assert processes_writing_under(folder) == []
    assert open_to_others(folder) == []
    (folder / "logs").chmod(0o755)  # as an older release left it
    (folder / "logs" / "stripe.log").chmod(0o644)
    second = Up(folder)
    second.wait_until_ready()
    assert "applying school.toml" not in second.said
    other = Up(folder, output="other.out")
    assert other.process.wait(60) == 1
    assert "in use by another `hobbs up`" in other.said
    assert open_to_others(folder) == []
    assert second.stop(signal.SIGINT) == 0, second.said
    assert processes_writing_under(folder) == []


def test_a_fleet_whose_command_is_killed_ends_too(folder: Path) -> None:
    up = Up(folder)
    wait_until(lambda: "starting the services" in up.said, what="the services", within_s=READY_WITHIN_S)
    up.stop(signal.SIGKILL)  # the fixture waits for the others
