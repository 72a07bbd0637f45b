"""Examines this machine: Python, disk, secret files."""

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

from fleet.settings import PREFIX
from hobbs.doctor.findings import Finding, ok, warning, wrong

PYTHON_MIN: Final = (3, 11)
DISK_BYTES_MIN: Final = 1_000_000_000


def examine_machine() -> list[Finding]:
    return [_python(), _disk(), *_secret_files()]


def _python() -> Finding:
    version = sys.version.split()[0]
    if sys.version_info < PYTHON_MIN:
        return wrong("python", f"Python {version}", "install Python 3.11 or newer")
    return ok("python", f"Python {version}")


def _disk() -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free at {folder}"
    return (
        ok("disk", found)
        if free >= DISK_BYTES_MIN
        else warning("disk", found, "make room: logs and spills need it")
    )


def _secret_files() -> list[Finding]:
    """Check each HOBBS_*_FILE: it exists, is readable, and not everybody may write it."""
    findings = []
    for name, value in sorted(os.environ.items()):
        if name.startswith(PREFIX) and name.endswith("_FILE") and value:
            findings.append(_secret_file(name, Path(value)))
    return findings


def _secret_file(name: str, path: Path) -> Finding:
    try:
        mode = path.stat().st_mode
        path.open("rb").close()
    except OSError as error:
        fix = "write the secret there, readable for this user"
        return wrong("settings", f"{name}: {path}: {error.strerror}", fix)
    if mode & stat.S_IWOTH:
        return warning("settings", f"{name}: everybody may write {path}", f"chmod o-w {path}")
    return ok("settings", f"{name} is readable")
