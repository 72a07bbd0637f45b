"""A simulator for one test, to be killed, restarted on its data, or started with other arguments."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import stripe

from hobbs.local.stripe_sim.control import Control
from tests.support.stripe import UNLIMITED

KEY = "sk_test_contract0000000000"


class SimulatorProcess:
    """`with SimulatorProcess(folder) as simulator:`; `kill()` and `start()` in between."""

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        self.folder = folder
        self.options = [] if limited else UNLIMITED
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SimulatorProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start on the same data, on any free port: another process may have the old one by then."""
        command = [sys.executable, "-m", "hobbs.local.stripe_sim", "--data", str(self.folder)]
        for setting in ("v1_accounts", "transfers_alone_approved"):
            command += ["--set", f"{setting}=true"]
        command += self.options
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    def kill(self) -> None:
        """kill -9, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def terminate(self, *, within_s: float) -> int:
        """SIGTERM, as an orderly stop does; returns the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(within_s)

    @contextmanager
    def control(self) -> Iterator[Control]:
        with Control(self.url) as control:
            yield control

    @contextmanager
    def client(self) -> Iterator[stripe.StripeClient]:
        http = stripe.RequestsClient(timeout=30)
        yield stripe.StripeClient(KEY, base_addresses={"api": self.url}, http_client=http)
        http.close()  # type: ignore[no-untyped-call]
