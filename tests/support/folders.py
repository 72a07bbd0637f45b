"""Where the servers of a test session keep their data: in memory, where there is room for it.

A test's database is a copy of a thousand small files. On a disk that others use that takes half a second, in
memory a fiftieth; the session's servers outlive no power cut anyway.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 * 2**30  # bytes; a session was seen to use 1.5 GiB
PREFIX: Final = "hobbs-test-"


@contextmanager
def session_folder() -> Iterator[Path]:
    """A folder that is gone with the block, and what killed sessions left before is gone too."""
    parent = MEMORY if has_room(MEMORY) else Path(tempfile.gettempdir())
    remove_left(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def has_room(folder: Path) -> bool:
    """Whether a session's data fits here; containers often have 64 MiB."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM


def remove_left(parent: Path) -> None:
    """Remove folders of sessions that are no more: in memory they would stay until the machine restarts."""
    for folder in parent.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists() and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)
