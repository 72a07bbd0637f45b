"""What `hobbs up` says beside running: that it runs already, and how other commands find it."""

import getpass
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hobbs.local.up import alone_on, source

ROOT = Path(__file__).resolve().parents[3]


def hobbs(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command without any setting of Hobbs."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HOBBS_")}
    command = [sys.executable, "-m", "hobbs", *arguments]
    environment = bare | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "my data"
    there.mkdir()
    return there


def test_a_second_up_says_who_runs_the_first_and_stops_nothing(folder: Path) -> None:
    with alone_on(folder):
        second = hobbs("up", "--data", str(folder))
        third = hobbs("up", "--data", str(folder))
    for other in (second, third):
        assert other.returncode == 1
        assert f"process {os.getpid()} of {getpass.getuser()}, since " in other.stderr
        assert "hobbs is up already" in other.stderr
        assert f"source '{folder}/operator.env'" in other.stderr
        assert "no process is left" not in other.stderr
    assert not (folder / "logs").exists()


def test_the_way_in_can_be_pasted_into_a_shell_whatever_the_folder_is_called(tmp_path: Path) -> None:
    for name in ("plain", "two words", "it's $HOME"):
        assert shlex.split(source(tmp_path / name)) == ["source", str(tmp_path / name / "operator.env")]


@pytest.mark.parametrize("command", [("balances",), ("sim", "state"), ("doctor",), ("transfers", "list")])
def test_a_missing_environment_names_the_file_to_source(folder: Path, command: tuple[str, ...]) -> None:
    nothing = hobbs(*command, cwd=folder)
    assert nothing.returncode in (1, 2)
    assert "operator.env" in nothing.stderr + nothing.stdout
    (folder / ".hobbs").mkdir()
    (folder / ".hobbs" / "operator.env").touch()
    here = hobbs(*command, cwd=folder)
    assert "source .hobbs/operator.env" in here.stderr + here.stdout
    below = folder / "below"
    below.mkdir()
    said = hobbs(*command, cwd=below)
    assert f"source '{folder}/.hobbs/operator.env'" in said.stderr + said.stdout


def test_a_wrong_school_is_named_before_anything_starts(folder: Path) -> None:
    school = folder / "school.toml"
    school.write_text("[school]\nname = 1\n")
    refused = hobbs("up", "--data", str(folder / "data"), "--school", str(school))
    assert (refused.returncode, f"{school}:2: " in refused.stderr) == (1, True)
    assert not (folder / "data").exists()
