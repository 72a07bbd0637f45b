"""A change of rates is shown by what it does to flights that are billed, and changes nothing."""

import re
from datetime import date

import orjson
import pytest

from console import asking
from fleet.database import Database
from services.billing.desk.decisions import ACTIONS
from services.billing.desk.rate_changes import UnfitCard, would_change
from services.billing.desk.reads import whole_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, given_billed, given_school, rows
from tests.integration.console.conftest import LINK_SECRET, Desk
from tests.support.decisions import answered, decision

AIRCRAFT = next(dict(one["new"]) for one in CHANGES if one["kind"] == "aircraft")
MAY = {"since": date(2026, 5, 1), "until": date(2026, 5, 31)}


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service answers here."""
    monkeypatch.setattr(asking, "LOOK_TIMES", 0)


@pytest.fixture
async def billed(open_db: OpenDatabase) -> Database:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    return db


async def test_a_change_is_priced_by_the_flights_of_a_month(billed: Database) -> None:
    async with billed.transaction() as tx:
        same = await would_change(tx, "aircraft", "N364MA", AIRCRAFT, **MAY)
        dearer = await would_change(tx, "aircraft", "N364MA", AIRCRAFT | {"rate_per_hour": 17500}, **MAY)
    assert (same.flights, same.changed, same.refused) == (1, [], [])
    [one] = dearer.changed
    differences = one.differences()
    assert differences["student:student-01"] == -13_73, "1.3 hours at 10.00 more, and 5.6 % tax"
    assert differences["platform:school"] == 13_00
    assert sum(differences.values()) == 0


async def test_a_card_that_the_book_would_not_take_is_said(billed: Database) -> None:
    async with billed.transaction() as tx:
        with pytest.raises(UnfitCard, match="does not use bundle_per_hour"):
            await would_change(tx, "aircraft", "N364MA", AIRCRAFT | {"bundle_per_hour": 1}, **MAY)


async def test_the_page_shows_it_and_writes_nothing(desk: Desk, billed: Database) -> None:
    ada = await desk.browser("ada")
    page = "/rate-changes/aircraft/N364MA"
    assert page in (await ada.get("/rates/aircraft/N364MA")).text
    assert "becomes" not in (await ada.get(page)).text
    shown = (await ada.get(f"{page}?p.rate_per_hour=175")).text
    assert "165.00 becomes 175.00" in shown
    assert "/flights/F123" in shown
    assert "is an amount such as" in (await ada.get(f"{page}?p.rate_per_hour=much")).text
    assert (await ada.get("/rate-changes/student/student-01")).status_code == 404
    async with billed.transaction() as tx:
        assert (await whole_book(tx)).version == 1
    assert len(await rows(billed, "SELECT id FROM bill")) == 1


async def test_rates_are_proposed_from_their_preview_and_waiting_ones_are_shown(
    desk: Desk, billed: Database
) -> None:
    paula, vera = await desk.browser("paula"), await desk.browser("vera")
    page = "/rate-changes/aircraft/N364MA?p.rate_per_hour=175&month=2026-05"
    assert "Propose these rates" not in (await vera.get(page)).text
    shown = (await paula.get(page)).text
    sides = dict(re.findall(r'name="p\.amounts\.(\w+)" value="([^"]*)"', shown))
    assert sides.pop("rate_per_hour") == "175.00"
    assert set(sides.values()) <= {""}, "what is left empty stays as it is"
    sent = {
        "form_token": await paula.token(),
        "act": "propose_rates",
        "object": "aircraft/N364MA",
        "p.effective_from": "2026-06-01",
        "p.amounts.rate_per_hour": "175.00",
        "why": "fuel",
    }
    assert (await vera.post("/acts", data={**sent, "form_token": await vera.token()})).status_code == 403
    assert (await paula.post("/acts", data={**sent, "p.amounts.rate_per_hour": ""})).status_code == 422
    assert (await paula.post("/acts", data=sent)).status_code == 303
    staged = "SELECT value FROM outbox WHERE topic = 'decision.requested'"
    [asked] = [orjson.loads(row["value"]) for row in await rows(desk.console.db, staged)]
    assert asked["parameters"] == {"effective_from": "2026-06-01", "amounts": {"rate_per_hour": 17500}}
    proposal = decision(
        "billing", asked["action"], asked["object"], asked["parameters"], who="paula", why="fuel"
    )
    taken = await answered(billed, ACTIONS, proposal)
    assert taken.outcome == "done"
    bea = await desk.browser("bea")
    assert "change of a rate or limit waits for approval" in (await bea.get("/")).text
    assert str(taken.decision_id) in (await bea.get("/rate-proposals?f.state=waiting")).text
    waits = (await bea.get(f"/rate-proposals/{taken.decision_id}?month=2026-05")).text
    assert 'value="approve_rates"' in waits
    assert "/flights/F123" in waits


async def test_the_preview_of_a_proposal_prices_the_month(desk: Desk, billed: Database) -> None:
    paula = await desk.browser("paula")
    assert 'href="/rate-changes/aircraft/N364MA"' in (await paula.get("/rates")).text
    assert 'value="propose_rates"' in (await paula.get("/rate-changes/aircraft/N364MA")).text
    sent = {
        "form_token": await paula.token(),
        "act": "propose_rates",
        "object": "aircraft/N364MA",
        "p.effective_from": "2026-06-01",
        "p.amounts.rate_per_hour": "175.00",
        "p.amounts.owner_share_per_hour": "",
        "why": "fuel",
    }
    address = (await paula.post("/acts", data=sent)).headers["location"]
    async with desk.console.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO decision (decision_id, service, action, object, dry_run, requested_at, outcome,
                                  sentence, effects, answer_hash, taken_at)
            SELECT preview_id, service, action, object, true, now(), 'previewed', 'it waits', '[]', 'x', now()
            FROM act
            """
        )
    shown = (await paula.get(address)).text
    assert "/flights/F123" in shown
    assert "Its flights of May 2026" in shown


async def test_settings_say_where_each_comes_from_and_show_no_secret(
    desk: Desk, billed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_CONSOLE_IDLE_MINUTES", "30")
    page = (await (await desk.browser("vera")).get("/settings")).text
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "time zone America/New_York the book, version 1, since the beginning" in said
    assert "console_idle_minutes 30 HOBBS_CONSOLE_IDLE_MINUTES" in said
    assert "console_session_hours 12 default" in said
    assert "console_local_secret a secret is set" in said
    assert LINK_SECRET not in page


async def test_a_flight_of_other_software_is_corrected_by_amounts(desk: Desk, billed: Database) -> None:
    await given_billed(billed, completed(flight_id="OLD-1", billed_by="Old Planner"))
    paula = await desk.browser("paula")
    assert 'value="amend"' not in (await paula.get("/flights/F123")).text
    shown = (await paula.get("/flights/OLD-1")).text
    wallets = ["student:student-01", "instructor:instructor-01", "aircraft_owner:owner-01"]
    assert re.findall(r'name="p\.amounts\.([\w:-]+)"', shown) == wallets
    sent = {
        "form_token": await paula.token(),
        "act": "amend",
        "object": "OLD-1",
        "p.amounts.student:student-01": "-12.50",
        "p.amounts.instructor:instructor-01": "",
        "why": "the log says 1.3",
    }
    assert (await paula.post("/acts", data=sent)).status_code == 303
    staged = "SELECT value FROM outbox WHERE topic = 'decision.requested'"
    [asked] = [orjson.loads(row["value"]) for row in await rows(desk.console.db, staged)]
    assert (asked["service"], asked["action"], asked["object"]) == ("adjustments", "amend", "OLD-1")
    assert asked["parameters"] == {"amounts": {"student:student-01": -1250}}
