"""A student's limit is set on their page: the form shows what is in force, and what waits is shown there."""

import re

import orjson
import pytest

from console import asking
from services.billing.desk.decisions import ACTIONS
from services.receivables.handlers import follow_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school, rows
from tests.integration.console.conftest import Desk
from tests.support.decisions import answered, decision
from tests.support.records import record

PAGE = "/students/student-01"


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service answers here."""
    monkeypatch.setattr(asking, "LOOK_TIMES", 0)


async def test_a_limit_is_set_by_a_form_and_what_waits_is_on_the_students_page(
    desk: Desk, open_db: OpenDatabase
) -> None:
    billing = open_db("billing")
    frozen = {"limit": 20_000, "frozen": True}
    await given_school(billing, {"kind": "credit_limit", "key": "student-01", "new": frozen})
    await given_billed(billing, completed())
    told = await rows(
        open_db("billing"), "SELECT event_id, value FROM outbox WHERE topic = 'school.accepted'"
    )
    await follow_book(
        open_db("receivables"),
        [
            record("school.accepted", bytes(one["value"]), ce_id=one["event_id"], ce_source="hobbs/billing")
            for one in told
        ],
    )
    paula, vera, bea = [await desk.browser(name) for name in ("paula", "vera", "bea")]
    shown = (await paula.get(PAGE)).text
    form = shown.partition('value="set_limit"')[2].partition("</form>")[0]
    assert 'name="p.limit" value="200.00"' in form
    assert 'name="p.frozen" value="yes" checked' in form
    assert "set_limit" not in (await vera.get(PAGE)).text
    sent = {
        "form_token": await paula.token(),
        "act": "set_limit",
        "object": "student-01",
        "p.limit": "750.00",
        "p.until": "2199-12-31",
        "why": "pays monthly",
    }
    assert (await vera.post("/acts", data={**sent, "form_token": await vera.token()})).status_code == 403
    assert (await paula.post("/acts", data=sent)).status_code == 303
    staged = "SELECT value FROM outbox WHERE topic = 'decision.requested'"
    [asked] = [orjson.loads(row["value"]) for row in await rows(desk.console.db, staged)]
    assert (asked["service"], asked["action"], asked["object"]) == ("billing", "set_limit", "student-01")
    assert asked["parameters"] == {"limit": 75_000, "until": "2199-12-31", "frozen": False}
    limit = decision(
        "billing", "set_limit", "student-01", asked["parameters"], who="paula", why="pays monthly"
    )
    taken = await answered(billing, ACTIONS, limit)
    assert "once another person approves it" in taken.sentence
    assert "change of a rate or limit waits for approval" in (await bea.get("/")).text
    waits = re.sub(r"<[^>]+>", " ", (await bea.get(PAGE)).text)
    assert "paula asked for 750.00" in waits
    page = (await bea.get(f"/rate-proposals/{taken.decision_id}")).text
    assert 'value="approve_rates"' in page
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Frozen yes no" in said
    assert "Limit 200.00 750.00" in said
    assert f'href="{PAGE}"' in page
