"""No process of the local stack outlives the one that started it, however that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hobbs.local.child import Child, ChildFailed, stop_all
from hobbs.local.waiting import wait_until
from tests.support.processes import processes_writing_under

PARENT_OF_A_SLEEPER = """
import sys, time
from pathlib import Path
from hobbs.local.child import Child

child = Child.start("sleeper", ["sleep", "1000"], log=Path(sys.argv[1]) / "sleeper.log")
print(child.pid, flush=True)
time.sleep(1000)
"""

PARENT_THAT_IS_INTERRUPTED_WHILE_IT_STARTS = """
import signal, sys
from pathlib import Path
from hobbs.local.child import Child, interrupts_put_off, stop_all

children = []
try:
    with interrupts_put_off():
        for name in ("first", "second"):
            child = Child.start(name, ["sleep", "1000"], log=Path(sys.argv[1]) / f"{name}.log")
            signal.raise_signal(signal.SIGINT)
            children.append(child)
    print("was not interrupted")
except KeyboardInterrupt:
    print(len(children))
    stop_all(children)
"""

PARENT_OF_A_POSTGRES = """
import sys, time
from pathlib import Path
from hobbs.local.ports import free_port
from hobbs.local.postgres import prepare_postgres, start_postgres, wait_for_postgres

folder = Path(sys.argv[1])
log = folder / "postgres.log"
prepare_postgres(folder / "postgres", log)
server = start_postgres(folder / "postgres", port=free_port(), log=log)
wait_for_postgres(server)
print(server.child.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("program", [PARENT_OF_A_SLEEPER, PARENT_OF_A_POSTGRES], ids=["sleeper", "postgres"])
def test_a_child_ends_when_its_parent_is_killed_outright(program: str, tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not is_running(child), what="the child's end", within_s=10)


def test_an_interrupt_while_children_are_started_finds_every_one_of_them(tmp_path: Path) -> None:
    program = [sys.executable, "-c", PARENT_THAT_IS_INTERRUPTED_WHILE_IT_STARTS, str(tmp_path)]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout == "2\n"
    assert processes_writing_under(tmp_path) == []


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Child]:
    """A child that ignores SIGTERM."""
    program = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(1000)"
    )
    child = Child.start("stubborn", [sys.executable, "-c", program], log=tmp_path / "stubborn.log")
    wait_until(lambda: "ready" in child.tail(), what="the child", within_s=10)
    yield child
    child.kill()


def test_a_child_that_ignores_the_request_to_stop_is_killed_after_the_grace(stubborn: Child) -> None:
    assert stop_all([stubborn], grace_s=0.2) == [stubborn]
    assert stubborn.exit_code == -signal.SIGKILL


def test_a_child_that_ended_is_named_with_its_last_words(tmp_path: Path) -> None:
    child = Child.start("failing", ["sh", "-c", "echo no such luck; exit 3"], log=tmp_path / "failing.log")
    child.wait(10)
    with pytest.raises(ChildFailed, match=r"failing ended with exit code 3(.|\n)*no such luck"):
        child.require_running()


def is_running(pid: int) -> bool:
    """A process that ended and was not reaped yet no longer runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z" and os.getpgid(pid) > 0
