"""Starts `hobbs` commands and workers of a local fleet without importing everything again each time.

Python takes seconds of processor time to import SQLAlchemy, pydantic, Kafka's client and Stripe's. So one
process, the fork server, imports all of it once and does nothing else; each start is a fork of it, with the
arguments, environment and files that the asker hands over. A forked process is as real as any: its own pid
and session, ended by signals, with an exit code.

Who asks and the server share a socket, which ends when the asker does, however that ends. The server ends
then, and what it forked gets SIGKILL from the kernel, as children of tether.py do. On other systems than
Linux nothing is shared: a start is a start.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hobbs.local.tether import PR_SET_PDEATHSIG

_PR_SET_NAME: Final = 15
_REQUEST_BYTES_MAX: Final = 200_000  # below what Linux lets a message of such a socket be


class Forked:
    """A process forked by the server, with what `subprocess.Popen` offers of one."""

    def __init__(self, report: socket.socket) -> None:
        self._report = report
        self.returncode: int | None = None
        started = report.recv(64)
        if not started:
            raise OSError("the fork server ended; its error is above")
        self.pid = int(started)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; minus the signal's number when one ended it. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._report.settimeout(timeout)
            try:
                ended = self._report.recv(64)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0) from None
            self._report.close()
            # Nothing: the server itself was killed, and the kernel killed what it had forked.
            self.returncode = int(ended or -signal.SIGKILL)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def start(
    module: str, arguments: Sequence[str], *, output: int, errors: int, environment: Mapping[str, str]
) -> Forked | subprocess.Popen[bytes]:
    """Start `python -m module arguments` in a session of its own, with exactly this environment.

    output, errors: descriptors of its stdout and stderr; its stdin is empty.
    """
    if sys.platform != "linux":
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )
    request = {"module": module, "arguments": list(arguments), "environment": dict(environment)}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        _server.ask(json.dumps(request).encode(), [theirs.fileno(), output, errors])
    return Forked(ours)


def run(
    module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run to the end; what it wrote is in the answer."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(
            module, arguments, output=output.fileno(), errors=errors.fileno(), environment=environment
        )
        code = process.wait()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            [module, *arguments], code, output.read().decode(), errors.read().decode()
        )


class Server:
    """The fork server of this process: started when the first start is asked for, ended with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: bytes, descriptors: Sequence[int]) -> None:
        with self._lock:
            if self._control is None:
                self._control = self._start()
            socket.send_fds(self._control, [request], descriptors)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(number)],
                stdin=subprocess.DEVNULL,
                pass_fds=[number],
                start_new_session=True,
            )
        atexit.register(self.stop)
        return ours

    def stop(self) -> None:
        """End the server, and so what it forked and still runs."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait()
            self._control = None


_server = Server()


def serve(control: socket.socket) -> Callable[[], None] | None:
    """Fork what is asked for, until the asker has ended: None. In a forked process: what it has to do."""
    reports: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    with selectors.DefaultSelector() as asked:
        asked.register(control, selectors.EVENT_READ)
        asked.register(woken, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in asked.select()]
            if woken in ready:
                woken.recv(1024)
                for pid, code in _ended():
                    with reports.pop(pid) as report, contextlib.suppress(OSError):
                        report.send(str(code).encode())
            if control not in ready:
                continue
            request, descriptors, _, _ = socket.recv_fds(control, _REQUEST_BYTES_MAX, 3)
            if not request:
                return None
            server, pid = os.getpid(), os.fork()
            if pid == 0:
                break
            reports[pid] = socket.socket(fileno=descriptors[0])
            for descriptor in descriptors[1:]:
                os.close(descriptor)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in (control, woken, wake, *reports.values()):
        end.close()
    return _Start(server=server, descriptors=descriptors, **json.loads(request))


def _ended() -> Iterator[tuple[int, int]]:
    """Pids of forked processes that have ended since, with their exit codes."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What a forked process becomes."""

    server: int
    descriptors: list[int]
    module: str
    arguments: list[str]
    environment: Mapping[str, str]

    def __call__(self) -> None:
        os.setsid()
        kernel = ctypes.CDLL(None, use_errno=True)
        kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        kernel.prctl(_PR_SET_NAME, " ".join([self.module, *self.arguments]).encode())  # for ps and top
        if os.getppid() != self.server:  # it ended before the call above: no signal will come
            sys.exit(0)
        report, output, errors = self.descriptors
        os.dup2(output, 1)
        os.dup2(errors, 2)
        for descriptor in (output, errors):
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv = [self.module, *self.arguments]
        with socket.socket(fileno=report) as asker:
            asker.send(str(os.getpid()).encode())
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def _import_everything() -> None:
    """All that commands and workers need, but for what only a local fleet's own commands do."""
    from hobbs.cli import COMMANDS, GROUPS, LOCAL
    from schemas.services import SERVICES

    commands = [module for name, module in {**GROUPS, **COMMANDS}.items() if name not in LOCAL]
    with warnings.catch_warnings(record=True):  # they are for who runs that part, not for everybody
        for module in (*commands, *(f"services.{name}.app" for name in SERVICES), "console.app"):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection would write into every page that forks share


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    becomes = serve(control)
    if becomes:
        becomes()


if __name__ == "__main__":
    main()
