"""A refused flight's letter: who may correct it sees what it says, and nobody else does."""

import re

import asyncpg
import pytest

from console.app import HOLDER_ROLE
from services.billing.handlers import bill_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_school
from tests.integration.console.conftest import Browser, Desk
from tests.support.databases import service_url

PREVIEWED = "SELECT parameters FROM act ORDER BY asked_at DESC LIMIT 1"


@pytest.fixture
async def letter(open_db: OpenDatabase) -> str:
    """The address of the letter of a flight with an aircraft that nobody has."""
    billing = open_db("billing")
    await given_school(billing)
    await bill_flights(billing, [completed(aircraft="N-wrong<b>")])
    async with billing.transaction() as tx:
        found = await tx.one("SELECT id FROM dead_letter")
    return f"/dead/billing/{found.id}"


def facts(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="p\.facts\.(\w+)" value="([^"]*)"', page))


async def test_who_may_correct_a_refused_flight_finds_what_it_says(desk: Desk, letter: str) -> None:
    page = (await (await desk.browser("paula")).get(letter)).text
    shown = facts(page)
    assert shown["aircraft"] == "N-wrong&lt;b&gt;"
    assert shown["hobbs_in"] == "1254.9"
    assert shown["tach_in"] == ""
    assert not {"flight_id", "revision"} & shown.keys(), "which flight it is stays"


@pytest.mark.parametrize("person", ["vera", "otto"])
async def test_who_may_not_correct_it_is_shown_nothing_of_it(desk: Desk, letter: str, person: str) -> None:
    browser = await desk.browser(person)
    page = (await browser.get(letter)).text
    assert facts(page) == {}
    assert "1254.9" not in page
    assert "Correct the record" not in page
    sent = {
        "act": "correct_letter",
        "object": letter.rpartition("/")[2],
        "p.facts.aircraft": "N1",
        "why": "x",
    }
    answer = await browser.post("/acts", data=sent | {"form_token": await browser.token()})
    assert answer.status_code == 403


async def test_the_form_asks_for_every_fact_as_it_was_written(
    desk: Desk, letter: str, open_db: OpenDatabase
) -> None:
    browser: Browser = await desk.browser("paula")
    page = (await browser.get(letter)).text
    sent = {f"p.facts.{name}": text for name, text in facts(page).items()}
    form = {"form_token": await browser.token(), "act": "correct_letter", "why": "a slip of the pen"}
    form |= sent | {"object": letter.rpartition("/")[2], "p.facts.aircraft": " N364MA "}
    assert (await browser.post("/acts", data=form)).status_code == 303
    async with open_db("console").transaction() as tx:
        told = (await tx.one(PREVIEWED)).parameters["facts"]
    assert told["aircraft"] == "N364MA"
    assert told["tach_in"] == ""
    long = form | {"p.facts.aircraft": "N" * 501}
    assert (await browser.post("/acts", data=long)).status_code == 422


async def test_the_database_tells_no_holder_what_a_record_says(database_url: str, letter: str) -> None:
    connection = await asyncpg.connect(service_url(database_url, "console"))
    asked = "SELECT billing_public.refused_record($1)"
    assert await connection.fetchval(asked, letter.rpartition("/")[2])
    await connection.execute(f"SET ROLE {HOLDER_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetchval(asked, letter.rpartition("/")[2])
    await connection.close()
