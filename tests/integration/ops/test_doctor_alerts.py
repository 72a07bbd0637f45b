"""`hobbs doctor --production` asks a Prometheus for the alerts of this version and for somebody to tell."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from fleet.folders import ROOT
from hobbs.doctor.deployed import RULES, examine_prometheus


async def test_a_prometheus_without_the_alerts_of_this_version_is_named() -> None:
    names = re.findall(r"- alert: (\w+)", (ROOT / RULES).read_text(encoding="utf-8"))
    with prometheus(names, ["http://a"]) as url:
        assert await examine_prometheus(url) == []
    with prometheus(names[1:], []) as url:
        said = [finding.found for finding in await examine_prometheus(url)]
    assert [names[0] in said[0], "no Alertmanager" in said[1]] == [True, True]


@contextmanager
def prometheus(loaded: Sequence[str], managers: Sequence[str]) -> Iterator[str]:
    """A server that answers as Prometheus' HTTP API is documented to: its own is not in these tests."""
    rules = {"groups": [{"rules": [{"type": "alerting", "name": name} for name in loaded]}]}
    there = {"activeAlertmanagers": [{"url": url} for url in managers]}
    answers = {"/api/v1/rules?type=alert": rules, "/api/v1/alertmanagers": there}

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "success", "data": answers[self.path]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: its lines are nobody's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
