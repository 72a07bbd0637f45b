"""A server that keeps each request whole and answers it as Stripe would answer about a customer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Doc = dict[str, Any]

ANSWER = b'{"id": "cus_1", "object": "customer", "data": [], "has_more": false}'


@dataclass(slots=True, kw_only=True)
class Recorder:
    url: str = ""
    bodies: list[list[str]] = field(default_factory=list)
    """Method, path and body of each request."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def wire(self) -> Doc:
        """What the flows of the other clients print of themselves."""
        first = self.headers[0]
        names = ("accept-encoding", "connection", "content-type", "stripe-version", "user-agent")
        return {
            "bodies": self.bodies,
            "keys": [headers.get("idempotency-key") for headers in self.headers],
            "telemetry": ["x-stripe-client-telemetry" in headers for headers in self.headers],
            "headers": {name: first.get(name) for name in names}
            | {"authorization": first["authorization"].split(" ")[0]},
        }


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            recorder.bodies.append([self.command, self.path, body])
            recorder.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Request-Id", "req_canned")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    yield recorder
    server.shutdown()
    server.server_close()
    thread.join()
