"""A webhook receiver: keeps arrivals and answers with chosen statuses."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import stripe

WAIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    path: str
    body: bytes
    signature: str
    at: float

    def event(self, secret: str, *, tolerance: int = 300) -> stripe.Event:
        """Verify as the gateway would, with the real library."""
        event: stripe.Event = stripe.Webhook.construct_event(
            self.body, self.signature, secret, tolerance=tolerance
        )
        return event

    @property
    def type(self) -> str:
        return str(json.loads(self.body)["type"])


@dataclass(slots=True, kw_only=True)
class Receiver:
    url: str
    arrivals: list[Arrival] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers; then 200."""

    def wait_for(self, count: int, matching: Callable[[Arrival], bool] = lambda _: True) -> list[Arrival]:
        """The arrivals that match, once there are `count`."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found = [arrival for arrival in list(self.arrivals) if matching(arrival)]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"only {len(self.arrivals)} webhooks came: {[a.type for a in self.arrivals]}")


def eventually(holds: Callable[[], bool]) -> None:
    """Poll until it holds, where no event can be awaited."""
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.01)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver(url="")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signature = self.headers["Stripe-Signature"]
            receiver.arrivals.append(
                Arrival(path=self.path, body=body, signature=signature, at=time.monotonic())
            )
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()
