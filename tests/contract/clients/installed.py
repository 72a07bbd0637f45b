"""Stripe's clients in other languages: installed once per machine by their registries' own clients, then run.

Each is pinned with its hash: stripe-node by package-lock.json, stripe-go by go.mod and go.sum. What is
installed and built lies in this user's cache, named after the pin, so a later run asks no registry. Raises
Absent, with a sentence, where a tool or the registry is missing or too slow: then nothing was compared.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from hobbs.local.packages import cache_folder

FOLDER = Path(__file__).parent
INSTALL_S_MAX = 30.0
BUILD_S_MAX = 180.0
NODE_MIN = (20,)
GO_MIN = (1, 23)
NPM_CI = (
    "npm",
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-timeout=20000",
)
OUR_FAULT = ("EUSAGE", "EINTEGRITY")
"""What npm says when the lock does not fit package.json, or a package does not fit its hash."""


class Absent(Exception):
    """The client cannot be had on this machine now."""


def stripe_node() -> Path:
    """The folder whose node_modules has stripe-node."""
    return of_npm(FOLDER / "node", "node")


def of_npm(source: Path, name: str) -> Path:
    """The folder with node_modules as `source`'s package-lock.json has them."""
    _require("node", NODE_MIN, "--version")
    _require("npm", (), "--version")
    pins = [source / "package.json", source / "package-lock.json"]
    wanted = _cached(name, pins)
    if not wanted.exists():
        with tempfile.TemporaryDirectory(dir=wanted.parent, prefix="installing-") as unfinished:
            for pin in pins:
                shutil.copy(pin, unfinished)
            _install(NPM_CI, Path(unfinished))
            _keep(Path(unfinished), wanted)
    return wanted


def stripe_go() -> Path:
    """The program with the flows, built."""
    _require("go", GO_MIN, "version")
    source = FOLDER / "go"
    wanted = _cached("go", [*sorted(source.glob("*.go")), source / "go.mod", source / "go.sum"])
    if not wanted.exists():
        _install(("go", "mod", "download"), source)
        with tempfile.TemporaryDirectory(dir=wanted.parent, prefix="building-") as unfinished:
            # What runs for a second is not optimised: that took a third of the processor.
            options = ("-mod=readonly", "-buildvcs=false", "-gcflags=all=-N -l")
            build = ("go", "build", *options, "-o", f"{unfinished}/flows", ".")
            status, said = bounded(build, source, BUILD_S_MAX)
            assert status == 0, said
            _keep(Path(unfinished), wanted)
    return wanted / "flows"


def _require(tool: str, least: tuple[int, ...], asking: str) -> None:
    if shutil.which(tool) is None:
        raise Absent(f"no {tool} on the PATH, so nothing was compared")
    said = subprocess.run(
        [tool, asking], capture_output=True, text=True, check=False, env=_environment()
    ).stdout
    version = re.search(r"(\d+)\.(\d+)", said)
    if version is None or tuple(int(part) for part in version.groups()) < least:
        raise Absent(f"{tool} is {said.strip()}, older than {'.'.join(map(str, least))}")


def _cached(language: str, pins: list[Path]) -> Path:
    digest = hashlib.sha256(b"\0".join(pin.read_bytes() for pin in pins)).hexdigest()[:16]
    folder = cache_folder() / "stripe-clients"
    folder.mkdir(exist_ok=True)
    return folder / f"{language}-{digest}"


def _install(command: tuple[str, ...], folder: Path) -> None:
    status, said = bounded(command, folder, INSTALL_S_MAX)
    if status != 0:
        assert not any(fault in said for fault in OUR_FAULT), said
        raise Absent(f"`{' '.join(command[:2])}` {_ending(status)}, so nothing was compared: {_line(said)}")


def _line(said: str) -> str:
    return " ".join(said.split())[:200]


def _ending(status: int | None) -> str:
    return f"took more than {INSTALL_S_MAX:.0f} s" if status is None else f"ended with {status}"


def _keep(unfinished: Path, wanted: Path) -> None:
    """Give it its name at once, so that a killed installation is never taken for a whole one."""
    try:
        unfinished.rename(wanted)
    except OSError:
        assert wanted.exists()  # another session was faster
    else:
        unfinished.mkdir()  # for the context that will remove it


def bounded(
    command: tuple[str, ...], folder: Path, seconds: float, given: dict[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a command and its children for so long at most: its exit code, None when ended, and its output."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment() | (given or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            return None, said
        return process.returncode, said


def _environment() -> dict[str, str]:
    """This environment, without what names a program that runs the tests: clients tell Stripe of some."""
    told = ("CLAUDE", "CODEX", "CURSOR", "GEMINI", "CLINE", "STRIPE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    return kept | {"GOTOOLCHAIN": "local"}
