"""The fork server starts real processes: own pid, session, arguments, environment, output and exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hobbs.local import fork_server
from hobbs.local.child import Child
from hobbs.local.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a start is a start")

PROGRAM = """
import json, os, signal, sys
if sys.argv[1] == "sleep":
    print("asleep", flush=True)
    signal.pause()
told = {"argv": sys.argv[1:], "name": __name__, "mine": os.environ.get("MINE"), "home": "HOME" in os.environ}
print(json.dumps(told | {"pid": os.getpid(), "session": os.getsid(0), "stdin": sys.stdin.read()}))
sys.stderr.write("said beside")
sys.exit(int(sys.argv[1]))
"""
ASKER = """
import sys, time
from pathlib import Path
from hobbs.local.child import Child
child = Child.start_module("sleeper", "forked_program", "sleep", log=Path(sys.argv[1]), environment={})
print(child.pid, flush=True)
time.sleep(1000)
"""


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of its own, which finds the program above."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "forked_program.py").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setattr(fork_server, "_server", own := fork_server.Server())
        yield
        own.stop()


def test_a_command_gets_what_it_is_given_and_its_exit_code_comes_back() -> None:
    done = fork_server.run("forked_program", ["3", "two words"], {"MINE": "a"})
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "said beside")
    assert told["argv"] == ["3", "two words"]
    assert (told["name"], told["mine"], told["home"], told["stdin"]) == ("__main__", "a", False, "")
    assert told["session"] == told["pid"] != os.getpid()


def test_many_at_once_keep_their_outputs_apart() -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = range(24)
        done = list(pool.map(lambda code: fork_server.run("forked_program", [str(code)], {}), codes))
    assert [one.returncode for one in done] == list(codes)
    assert [json.loads(one.stdout)["argv"] for one in done] == [[str(code)] for code in codes]


def test_a_signal_ends_it_and_is_its_exit_code(tmp_path: Path) -> None:
    child = Child.start_module("s", "forked_program", "sleep", log=tmp_path / "log", environment={})
    wait_until(lambda: "asleep" in child.tail(), what="the program", within_s=60)
    assert child.exit_code is None
    assert not child.wait(0.1)
    child.signal(signal.SIGTERM)
    assert child.wait(30)
    assert child.exit_code == -signal.SIGTERM


def test_a_program_that_fails_says_so_in_its_log(tmp_path: Path) -> None:
    child = Child.start_module("s", "no_such_module", log=tmp_path / "log", environment={})
    assert child.wait(30)
    assert (child.exit_code, "no_such_module" in child.tail()) == (1, True)


def test_what_was_forked_dies_with_who_asked(tmp_path: Path) -> None:
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert asker.stdout is not None
    pid = int(asker.stdout.readline())
    os.kill(pid, 0)
    asker.kill()
    asker.wait()
    asker.stdout.close()
    deadline = time.monotonic() + 30
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
