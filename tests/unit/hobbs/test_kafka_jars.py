"""Only the jars whose checksums are committed are run."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hobbs.local.kafka_jars import CHECKSUMS, JarsMissing, class_path, require_expected


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("jars")
    return [Path(shutil.copy(jar, folder)) for jar in class_path().split(":")]


def test_the_jars_that_are_run_are_those_whose_checksums_are_committed(jars: list[Path]) -> None:
    require_expected(jars)
    assert len(jars) == len(CHECKSUMS.read_text().splitlines())


def test_a_jar_somebody_changed_is_not_run(jars: list[Path], tmp_path: Path) -> None:
    changed = Path(shutil.copy(jars[0], tmp_path))
    with changed.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(JarsMissing, match=r"is not the jar whose SHA-256"):
        require_expected([changed, *jars[1:]])


def test_a_jar_nobody_expects_is_not_run(jars: list[Path], tmp_path: Path) -> None:
    stranger = Path(shutil.copy(jars[0], tmp_path / "stranger-1.0.jar"))
    with pytest.raises(JarsMissing, match=r"stranger-1\.0\.jar is not the jar"):
        require_expected([*jars, stranger])


def test_a_jar_that_did_not_come_is_named(jars: list[Path]) -> None:
    with pytest.raises(JarsMissing, match=jars[0].name):
        require_expected(jars[1:])


def test_who_comes_while_another_fetches_waits_and_fetches_nothing(tmp_path: Path) -> None:
    """The second process has no way to a repository."""
    asking = "from hobbs.local import kafka_jars; print(kafka_jars.{})"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    nowhere = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https")}

    def ask(what: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", asking.format(what)]
        return subprocess.Popen(command, env={**environment, **nowhere}, stdout=subprocess.PIPE, text=True)

    memory = Path(ask("memory()").communicate(timeout=30)[0].strip())
    assert memory.is_relative_to(tmp_path)
    with memory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = ask("class_path()")
        with pytest.raises(subprocess.TimeoutExpired):
            second.communicate(timeout=2)
        memory.write_text(f"{CHECKSUMS}\n")
    assert second.communicate(timeout=30)[0] == f"{CHECKSUMS}\n"
