"""Whatever is sent to whatever route: nothing breaks, nothing of another is shown or asked for."""

import json
import random
import re
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from console import asking
from console.catalogue import ACTS
from fleet.database import Database
from tests.integration.console.conftest import Browser, Desk
from tests.integration.console.test_students import overdue  # noqa: F401 - the fixture
from tests.support.console import console_nowhere, routes

ODD: Final = (
    "", " ", "0", "-1", "1", "9" * 40, "1e9", "NaN", "\x00", "'", '"><script>', "%00", "../../etc/passwd",
    "null", "é" * 99, "[]", "{}", "2026-13-45", "2026-11", "2026-11-30", "9999-12", "0000-00-00", "a" * 999,
    "\u202e", "USD", "XXX", "ben", "student:ben", "anna", "student:anna", "receivables/x", "ledger/", "/",
    "//evil.example", "00000000-0000-7000-8000-000000000001", "eyJ", "WzEsMl0", "csv", "xlsx", "pdf",
    "'; DROP TABLE act; --",
)  # fmt: skip
NAMES: Final = (
    "sort", "after", "before", "as", "month", "currency", "revision", "next", "key", "state", "f.state",
    "f.wallet", "f.student", "f.flight_id", "f.created_at.from", "f.at.to", "f.ready", "f.level",
    "f.used_percent",
)  # fmt: skip
FIELDS: Final = (
    "object", "why", "back", "currency", "words", "about", "question", "person", "key",
    *sorted({f"p.{field.name}" for act in ACTS.values() for field in act.fields}),
)  # fmt: skip
FINE: Final = frozenset({200, 303, 403, 404, 405, 422})
GETS, POSTS = 700, 500
MADE_BY: Final = {"ada": "of the office", "anna": "a student"}


def of(method: str) -> list[str]:
    return sorted({one.path for one in routes(console_nowhere()) if method in (one.methods or ())})


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20_261_130)


@pytest.fixture
def silent(overdue: Database, monkeypatch: pytest.MonkeyPatch) -> Database:  # noqa: F811 - the fixture
    monkeypatch.setattr(asking, "LOOK_TIMES", 0)  # no service answers here
    return overdue


def filled(chance: random.Random, path: str) -> str:
    return re.sub(r"\{[^}]+\}", lambda _: quote(chance.choice(ODD), safe=""), path)


async def got(browser: Browser, chance: random.Random, path: str) -> httpx.Response:
    names = chance.sample(NAMES, chance.randrange(4))
    return await browser.get(filled(chance, path), params={name: chance.choice(ODD) for name in names})


def require_fine(answer: httpx.Response, caplog: pytest.LogCaptureFixture, *, own: bool) -> None:
    asked = f"{answer.request.method} {answer.request.url} {answer.request.content!r}"
    assert answer.status_code in FINE, asked
    assert "request failed" not in caplog.text, asked
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "<script>" not in answer.text.replace("<script src=", ""), asked
        if own and "ben" not in asked:
            assert "ben" not in re.findall(r"\w+", answer.text), asked


async def test_no_question_breaks_a_page_or_shows_another(
    desk: Desk, silent: Database, chance: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    people = {name: await desk.browser(name) for name in MADE_BY} | {"nobody": desk.opened()}
    paths = [path for path in of("GET") if not path.startswith("/static")]
    for number in range(GETS):
        name = chance.choice(list(people))
        path = paths[number % len(paths)]
        require_fine(await got(people[name], chance, path), caplog, own=name == "anna")


async def test_no_form_breaks_anything_or_asks_for_another(
    desk: Desk, silent: Database, chance: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    people = {name: await desk.browser(name) for name in MADE_BY}
    tokens = {name: await browser.token("/" if name == "ada" else "/own") for name, browser in people.items()}
    paths = [path for path in of("POST") if not path.startswith(("/login", "/logout"))]
    for number in range(POSTS):
        name = chance.choice(list(people))
        path = "/acts" if number % 2 else chance.choice(paths)
        told = {field: chance.choice(ODD) for field in chance.sample(FIELDS, chance.randrange(8))}
        act = ACTS[chance.choice(list(ACTS))]
        likely = {f"p.{field.name}": chance.choice(ODD) for field in act.fields if chance.random() < 0.8}
        form = {"form_token": tokens[name], "act": act.name, "why": "x", **likely, **told}
        require_fine(await people[name].post(filled(chance, path), data=form), caplog, own=name == "anna")
    async with desk.console.db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox")
    asked: list[dict[str, Any]] = [json.loads(bytes(row.value)) for row in rows]
    assert len({one["action"] for one in asked}) > 8, "most forms were refused before they asked"
    by_anna = [one for one in asked if one["who"]["name"] == "anna"]
    assert by_anna
    assert {one["object"] for one in by_anna} <= {"anna", "student:anna"}
    assert {tuple(one["who"]["roles"]) for one in by_anna} == {("student:anna",)}
    assert all(one["dry_run"] for one in asked)


async def test_nothing_is_called_by_a_name_that_cannot_be_stored(
    desk: Desk, silent: Database, caplog: pytest.LogCaptureFixture
) -> None:
    people = [await desk.browser("ada"), await desk.browser("anna"), desk.opened()]
    for path in of("GET"):
        odd = re.sub(r"\{[^}]+\}", "a%00b", path)
        asked = odd if odd != path else f"{path}?f.state=%00"
        answers = [await browser.get(asked) for browser in people]
        assert {answer.status_code for answer in answers} == {404}, asked
    assert "request failed" not in caplog.text
