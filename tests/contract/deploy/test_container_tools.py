"""The programs in deploy/: health check, secrets, registration at the simulator."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.make_secrets import make_secrets
from deploy.simulator_webhooks import newest_secrets, register
from hobbs.local.ports import free_port
from hobbs.local.stripe_sim.control import Control
from schemas.services import LOGINS
from tests.contract.deploy.conftest import ROOT
from tests.support.stripe import StripeSim


@contextmanager
def service_answering(status: int, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b'{"ok": false, "wrong": {"consumers": "no poll"}}')

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def health(port: int, processes: int = 1) -> subprocess.CompletedProcess[str]:
    environment = {"HOBBS_OPS_PORT": str(port), "HOBBS_WORK_PROCESSES": str(processes)}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "deploy" / "health.py")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_working_service_is_healthy() -> None:
    port = free_port()
    with service_answering(200, port):
        assert health(port).returncode == 0


def test_a_stuck_service_is_not_healthy_and_the_reason_is_shown() -> None:
    port = free_port()
    with service_answering(503, port):
        result = health(port)
    assert (result.returncode, "no poll" in result.stderr) == (1, True)


def test_a_service_that_does_not_listen_is_not_healthy() -> None:
    result = health(free_port())
    assert (result.returncode, "ConnectionRefusedError" in result.stderr) == (1, True)


def test_one_dead_process_of_several_is_not_healthy() -> None:
    port = free_port()
    with service_answering(200, port):
        assert health(port, processes=2).returncode == 1


def test_every_login_has_a_url_with_a_password_of_its_own(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    urls = [
        urlsplit((tmp_path / f"{login}_database_url").read_text().strip()) for login in (*LOGINS, "owner")
    ]
    assert [url.username for url in urls] == [f"hobbs_{login}" for login in (*LOGINS, "owner")]
    passwords = [url.password for url in urls]
    assert len(set(passwords)) == len(passwords)
    assert passwords[-1] == (tmp_path / "postgres_password").read_text().strip()
    assert {url.path for url in urls} == {"/hobbs"}


def test_making_secrets_again_changes_none_and_adds_what_is_missing(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    (tmp_path / "ledger_database_url").unlink()
    assert make_secrets(tmp_path) == ["ledger_database_url"]
    del before["ledger_database_url"]
    assert {name: (tmp_path / name).read_text() for name in before} == before


def test_only_the_owner_may_enter_the_folder_and_containers_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    before = os.umask(0o077)
    try:
        make_secrets(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}


def test_the_gateway_is_registered_once_with_the_secrets_it_was_given(
    tmp_path: Path, stripe_sim: StripeSim
) -> None:
    make_secrets(tmp_path)
    (tmp_path / "stripe_webhook_secrets").write_text("whsec_new,whsec_old\n")
    with Control(stripe_sim.api_base) as control:
        first = register(control, "http://gateway:8080/", newest_secrets(tmp_path))
        again = register(control, "http://gateway:8080", newest_secrets(tmp_path))
    assert first == [
        "http://gateway:8080/webhooks/stripe",
        "http://gateway:8080/webhooks/stripe/connect",
    ]
    assert again == []
    endpoints = stripe_sim.admin.get("webhook_endpoints").json()["endpoints"]
    registered = {
        (e["url"].rpartition("/")[2], e["application"] is not None, e["_secret"]) for e in endpoints
    }
    connect = (tmp_path / "stripe_connect_webhook_secrets").read_text().strip()
    assert registered == {("stripe", False, "whsec_new"), ("connect", True, connect)}


@pytest.mark.parametrize("script", ["make_secrets.py", "simulator_webhooks.py"])
def test_a_script_has_a_help_text(script: str) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "deploy" / script, "--help"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, "usage" in result.stdout) == (0, True)
