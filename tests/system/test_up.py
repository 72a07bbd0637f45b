"""`hobbs up` keeps its data, stops cleanly, and leaves no process behind however it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def test_a_stopped_fleet_starts_again_on_its_data_and_applies_the_school_once(folder: Path) -> None:
    first = Up(folder)
    first.wait_until_ready()
    assert "applying school.toml" in first.said
    assert first.stop(signal.SIGTERM) == 0, first.said
    assert processes_writing_under(folder) == []
    second = Up(folder)
    second.wait_until_ready()
    assert "applying school.toml" not in second.said
    other = Up(folder, output="other.out")
    assert other.process.wait(60) == 1
    assert "in use by another `hobbs up`" in other.said
    assert (folder / "operator.env").stat().st_mode & 0o077 == 0
    assert second.stop(signal.SIGINT) == 0, second.said
    assert processes_writing_under(folder) == []


def test_a_fleet_whose_command_is_killed_ends_too(folder: Path) -> None:
    up = Up(folder)
    wait_until(lambda: "starting the services" in up.said, what="the services", within_s=READY_WITHIN_S)
    up.stop(signal.SIGKILL)  # the fixture waits for the others
