"""A made-up certification authority, and Debian's PostgreSQL with TLS: the embedded one was built without."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hobbs.local.child import Child
from hobbs.local.ports import LOOPBACK, free_port
from hobbs.local.postgres import NOBODY, unprivileged
from hobbs.local.waiting import wait_until

OWNER, PASSWORD = "hobbs_owner", "owner-password"


def debians_postgres() -> Path | None:
    """The programs of the newest PostgreSQL of Debian's packages, if there is one and openssl."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found and shutil.which("openssl") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA in a folder; it signs for whatever name it is asked."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    def sign(self, name: str, *names: str) -> tuple[Path, Path]:
        """A certificate and its key; `names` as `DNS:localhost` or `IP:127.0.0.1`."""
        key, crt = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        request, extension = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={','.join(names)}\n" if names else "")
        openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}"
        )
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key"),
            *("-CAcreateserial", "-out", crt, "-days", "2", "-extfile", extension),
        )
        return crt, key


def authority(folder: Path, name: str = "A made-up CA") -> Authority:
    folder.mkdir()
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", folder / "ca.key", "-out", folder / "ca.crt"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
    )
    return Authority(folder=folder)


def openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def postgres_with(
    programs: Path, folder: Path, settings: Sequence[str], *, files: Sequence[Path] = ()
) -> Iterator[int]:
    """Run a server that listens on every address; yields its port. It may read `files` of the tests'."""
    folder.mkdir()
    password = folder / "password"
    password.write_text(PASSWORD)
    _give(folder, password, *files)
    data = folder / "data"
    initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", OWNER, f"--pwfile={password}"]
    initdb += ["--auth=scram-sha-256", "--no-sync", "--no-locale"]
    done = subprocess.run(unprivileged(initdb), capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    port = free_port()
    options = [f"port={port}", "listen_addresses=*", "unix_socket_directories=", "fsync=off", *settings]
    command: list[str | Path] = [programs / "postgres", "-D", data]
    command += [part for option in options for part in ("-c", option)]
    server = Child.start("postgres", unprivileged(command), log=folder / "log")
    try:
        ready: list[str | Path] = [
            programs / "pg_isready",
            "-q",
            "-h",
            LOOPBACK,
            "-p",
            str(port),
            "-d",
            "postgres",
        ]
        wait_until(
            lambda: subprocess.run(ready, check=False).returncode == 0,
            what=f"Postgres (log: {folder / 'log'})",
            within_s=30,
        )
        yield port
    finally:
        server.kill()
        server.wait(10)


def _give(folder: Path, *files: Path) -> None:
    """Let the server's user have its folder and files, and pass through those above."""
    if os.geteuid() != 0:
        return
    for path in (folder, *files):
        os.chown(path, NOBODY, NOBODY)
    for above in {parent for path in (folder, *files) for parent in path.parents if parent.owner() == "root"}:
        if str(above).startswith("/tmp/"):
            above.chmod(above.stat().st_mode | 0o011)
