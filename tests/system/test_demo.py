"""`hobbs demo` cleans up however it ends; `make demo` shows that it succeeds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hobbs.local.waiting import wait_until
from tests.support.processes import processes_writing_under


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_and_says_where_its_logs_are(
    by: signal.Signals, tmp_path: Path
) -> None:
    folder = tmp_path / "temp"
    folder.mkdir()
    output = tmp_path / "output"
    with output.open("w") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "hobbs", "demo"],
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_until(lambda: "starting the services" in output.read_text(), what="the services", within_s=90)
    demo.send_signal(by)
    assert demo.wait(60) == 130
    assert "no process is left" in output.read_text()
    assert f"Logs: {folder}" in output.read_text()
    assert processes_writing_under(folder) == []
