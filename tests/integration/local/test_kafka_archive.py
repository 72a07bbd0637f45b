"""Kafka's classes are archived once for a machine, whoever asks at the same time, and never needed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hobbs.local import kafka, kafka_archive
from hobbs.local.child import Child

# What stands for a broker writes, when it is asked to stop, what the option names.
STANDS_FOR_IT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1], "w").write("classes"), sys.exit()))
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command of Java for a runtime and a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    modules = tmp_path / "runtime" / "lib" / "modules"
    modules.parent.mkdir(parents=True)
    modules.touch()
    return [str(tmp_path / "runtime" / "bin" / "java"), "-cp", "some.jar"]


class Broker:
    """Counts how often one was started."""

    def __init__(self, program: str = STANDS_FOR_IT) -> None:
        self.program, self.started = program, 0

    def __call__(self, folder: Path, options: list[str]) -> Child:
        self.started += 1
        log = folder / "log"
        file = options[0].removeprefix("-XX:AOTCacheOutput=")
        child = Child.start("kafka", [sys.executable, "-c", self.program, file], log=log)
        while "ready" not in log.read_text():
            child.require_running()
        return child


def test_two_that_start_at_once_make_one_and_both_use_it(command: list[str]) -> None:
    broker = Broker()
    assert kafka_archive.options(command) == []
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(kafka_archive.make, command, broker) for _ in range(2)]:
            done.result()
    archive = kafka_archive.archive_of(command)
    assert (broker.started, archive.read_text()) == (1, "classes")
    assert kafka_archive.options(command) == [f"-XX:AOTCache={archive}"]
    assert kafka_archive.options([*command, "other.jar"]) == []


@pytest.mark.parametrize("program", ["raise SystemExit(1)", STANDS_FOR_IT.replace('"classes"', '""')])
def test_a_runtime_that_makes_none_is_asked_once_and_used_without(command: list[str], program: str) -> None:
    broker = Broker(program)
    for _ in range(2):
        kafka_archive.make(command, broker)
    assert (broker.started, kafka_archive.options(command)) == (1, [])


def test_who_dies_meanwhile_leaves_none_behind(command: list[str]) -> None:
    class Died(Exception):
        pass

    def dies(_folder: Path, options: list[str]) -> Child:
        Path(options[0].partition("=")[2]).write_text("half of it")
        raise Died

    with pytest.raises(Died):
        kafka_archive.make(command, dies)
    assert kafka_archive.options(command) == []
    broker = Broker()
    kafka_archive.make(command, broker)
    assert kafka_archive.archive_of(command).read_text() == "classes"


@pytest.mark.usefixtures("kafka")
def test_the_runtime_takes_the_archive_that_it_made() -> None:
    """With `-XX:AOTMode=on` the runtime refuses to start without one that fits."""
    options = kafka_archive.options(kafka.plain_java())
    assert options, "the first broker of the session made it"
    asked = subprocess.run(
        [*kafka.java(*options, "-XX:AOTMode=on"), "kafka.tools.StorageTool", "random-uuid"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, len(asked.stdout.strip())) == (0, 22), asked.stdout + asked.stderr
