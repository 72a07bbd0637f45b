"""From a form to a decision: its own token, a role, a preview that was seen, and once."""

import json
from typing import Any

import pytest

from console import asking
from tests.integration.console.conftest import Browser, Desk

SEEN = "a" * 64
_ANSWER = """
    INSERT INTO decision (decision_id, service, action, object, dry_run, requested_at, outcome, sentence,
                          effects, answer_hash, taken_at)
    SELECT preview_id, service, action, object, true, now(), 'previewed', 'it is posted', '[]', :seen, now()
    FROM act
"""


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service answers here."""
    monkeypatch.setattr(asking, "LOOK_TIMES", 1)


async def previewed(desk: Desk, browser: Browser) -> str:
    """Ask what an approval would do; the owner's answer is there. The address of both."""
    asked = {"form_token": await browser.token(), "act": "approve", "object": "f-1:2"}
    answer = await browser.post("/acts", data=asked)
    assert answer.status_code == 303
    async with desk.console.db.transaction() as tx:
        await tx.execute(_ANSWER, seen=SEEN)
    return answer.headers["location"]


async def decisions(desk: Desk) -> list[dict[str, Any]]:
    """What was asked for and is more than a preview."""
    async with desk.console.db.transaction() as tx:
        rows = [json.loads(bytes(row.value)) for row in await tx.all("SELECT value FROM outbox ORDER BY id")]
    return [row for row in rows if not row["dry_run"]]


async def test_a_decision_names_what_its_preview_showed_and_is_asked_for_once(desk: Desk) -> None:
    ann = await desk.browser("ann")
    address = await previewed(desk, ann)
    token = await ann.token()
    for _ in range(3):
        assert (await ann.post(address, data={"form_token": token})).status_code == 303
    (asked,) = await decisions(desk)
    assert (asked["action"], asked["object"], asked["preview_hash"]) == ("approve", "f-1:2", SEEN)
    assert asked["who"]["name"] == "ann"


async def test_a_form_without_its_session_s_token_asks_for_nothing(desk: Desk) -> None:
    ann, bea = await desk.browser("ann"), await desk.browser("bea")
    address = await previewed(desk, ann)
    for token in ("", "guessed", await bea.token()):
        assert (await ann.post(address, data={"form_token": token})).status_code == 403
    assert await decisions(desk) == []


async def test_a_role_is_asked_for_when_a_form_is_sent(desk: Desk) -> None:
    for name in ("vera", "paula", "otto"):
        browser = await desk.browser(name)
        asked = {"form_token": await browser.token(), "act": "approve", "object": "f-1:2"}
        answer = await browser.post("/acts", data=asked)
        assert (answer.status_code, "is for admin or approver" in answer.text) == (403, True), name


async def test_a_service_that_is_down_is_said_and_the_rest_works(desk: Desk) -> None:
    ann = await desk.browser("ann")
    asked = {"form_token": await ann.token(), "act": "approve", "object": "f-1:2"}
    address = (await ann.post("/acts", data=asked)).headers["location"]
    assert "adjustments has not answered yet" in (await ann.get(address)).text
    async with desk.console.db.transaction() as tx:
        await tx.execute("UPDATE act SET asked_at = asked_at - interval '1 hour'")
    page = (await ann.get(address)).text
    assert "adjustments did not answer in time: is it running?" in page
    assert "Nothing was asked for yet" in page
    assert await decisions(desk) == []
    for other in ("/", "/corrections", "/transfers", "/flights"):
        assert (await ann.get(other)).status_code == 200, other
