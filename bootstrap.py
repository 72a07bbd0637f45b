"""Make .venv with everything Hobbs needs, from pinned and hashed requirements.

Runs on a bare Python 3.11+ (standard library only). Uses the machine's uv when there is one; otherwise
makes the environment with venv and pip-installs the uv that requirements-dev.txt pins. Running it again
repairs a half-made environment; the Makefile's stamp file makes it a no-op when nothing changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = VENV / ".complete"

NO_VENV = """\
bootstrap: {python} cannot make a virtual environment (it has no ensurepip) and there is no uv.
Either install the venv module of this Python (Debian, Ubuntu: apt install python3-venv)
or install uv, or name another Python 3.11+: make PYTHON=/path/to/python3 ...
"""


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may well be older
        sys.exit(f"bootstrap: Hobbs needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    os.chdir(ROOT)
    STAMP.unlink(missing_ok=True)
    uv = machine_uv()
    if uv:
        run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV))
    else:
        uv = make_environment_with_pip()
    install = ["pip", "sync", "--quiet", "--require-hashes", "--python", str(python()), str(REQUIREMENTS)]
    run(uv, *install)
    link_hobbs()
    STAMP.touch()
    print(f"bootstrap: {VENV.name} is ready (Python {sys.version.split()[0]})")


def machine_uv() -> str | None:
    """The path of a uv that answers; a version manager's shim may exist and still refuse to run."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    works = subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0
    return uv if works else None


def make_environment_with_pip() -> str:
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0 or not has_pip():
        sys.exit(NO_VENV.format(python=sys.executable))
    pinned_uv = VENV / "uv-requirement.txt"
    pinned_uv.write_text(requirement_of("uv"))
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    run(str(python()), *pip, "--only-binary", ":all:", "-r", str(pinned_uv))
    return str(VENV / "bin" / "uv")


def has_pip() -> bool:
    return (
        subprocess.run([python(), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def requirement_of(package: str) -> str:
    """The lines of requirements-dev.txt that pin one package and its hashes."""
    block = re.search(rf"^{package}==.*(?:\n +--hash=.*)+", REQUIREMENTS.read_text(), re.MULTILINE)
    if block is None:
        sys.exit(f"bootstrap: {REQUIREMENTS.name} does not pin {package}; run `make lock`")
    return block.group(0) + "\n"


def link_hobbs() -> None:
    """Put the source tree on the path and `hobbs` in bin: an editable install without a build backend."""
    paths = {"base": str(VENV), "platbase": str(VENV)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (packages / "hobbs-source-tree.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "hobbs"
    command.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m hobbs "$@"\n')
    command.chmod(0o755)


def python() -> Path:
    return VENV / "bin" / "python"


def run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(f"bootstrap: `{' '.join(command)}` failed with exit code {done.returncode}")


if __name__ == "__main__":
    main()
