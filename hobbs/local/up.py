"""`hobbs up`: runs the fleet on lasting data until it is stopped."""

import contextlib
import fcntl
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from hobbs.demo.school import SCHOOL_FILE, apply_school
from hobbs.local.running_fleet import RunningFleet, credentials_file, running_fleet
from hobbs.shell.login_name import login_name
from hobbs.shell.output import say, show_rows

WATCH_S = 1.0
OTHERS = 0o077  # keys, passwords, logs and amounts are nobody's but who runs it


class AlreadyUp(Exception):
    """Another `hobbs up` runs on the same data; the message says whose it is and what to do."""


def keep_running(
    folder: Path, tell: Callable[[str], None], *, school: Path = SCHOOL_FILE, apart: bool = False
) -> None:
    """Run until Ctrl-C or SIGTERM. Raises ChildFailed when a server or service ends by itself.

    school: applied to new data, and never again. apart: each service in a process of its own.
    """
    os.umask(OTHERS)
    folder.mkdir(parents=True, exist_ok=True)
    keep_from_others(folder)
    with alone_on(folder), running_fleet(folder, keep=True, tell=tell, apart=apart) as running:
        apply_school_once(folder, running, tell, school)
        show_addresses(running)
        while True:
            time.sleep(WATCH_S)
            running.require_running()


def keep_from_others(folder: Path) -> None:
    """Take the rights of others away from what an older release left; Postgres keeps its own folder so."""
    for here, folders, files in os.walk(folder):
        if Path(here) == folder:
            folders[:] = [name for name in folders if name != "postgres"]
        for path in (Path(here), *(Path(here, name) for name in files)):
            if not path.is_symlink() and (mode := path.stat().st_mode) & OTHERS:
                path.chmod(mode & ~OTHERS & 0o7777)


@contextlib.contextmanager
def alone_on(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel releases it however this process ends."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyUp(_already_up(folder, lock.read().strip())) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} of {login_name()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
        lock.flush()
        yield


def _already_up(folder: Path, whose: str) -> str:
    return (
        f"hobbs is up already: {folder} is in use by another `hobbs up` ({whose or 'it is just starting'}). "
        f"Use it ({source(folder)}), stop it there with Ctrl-C, or choose another folder with --data"
    )


def source(folder: Path) -> str:
    """The command that gives a shell the settings of this fleet."""
    return f"source {shlex.quote(str(credentials_file(folder)))}"


def apply_school_once(folder: Path, running: RunningFleet, tell: Callable[[str], None], school: Path) -> None:
    done = folder / "school-applied"
    if done.exists():
        return
    tell(f"applying {school.name}")
    apply_school(running.fleet, school)
    done.touch()


def show_addresses(running: RunningFleet) -> None:
    fleet = running.fleet
    rows: list[dict[str, object]] = [
        {"what": "console", "address": fleet.console_url},
        {"what": "flights and webhooks (HTTP)", "address": fleet.gateway_url},
        {"what": "API page", "address": f"{fleet.gateway_url}/docs"},
        {"what": "Kafka", "address": fleet.kafka_bootstrap},
        {"what": "Postgres", "address": fleet.owner_url.partition("@")[2]},
        {"what": "Stripe simulator", "address": fleet.stripe_api_base},
        {"what": "logs", "address": fleet.folder / "logs"},
    ]
    for process, services in fleet.processes.items():
        rows.append({"what": f"{', '.join(services)}: health, metrics", "address": fleet.ops_url(process)})
    show_rows(rows, title="Hobbs is up")
    say(f"Commands in another shell: {source(fleet.folder)}; .venv/bin/hobbs --help")
    say("Ctrl-C stops everything; the data stays.")


def stop_on_sigterm() -> None:
    """Handle SIGTERM like Ctrl-C."""
    # A process that a script starts with `&` ignores SIGINT; Python would then not raise KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
