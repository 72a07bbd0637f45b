"""Every job is three clicks from where a person begins: found by following links, as a person would."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest

from console.catalogue import ACTS
from console.roles import HOLDERS, STAFF
from services.ledger.handlers import post_journals
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school
from tests.integration.console.conftest import Desk
from tests.integration.ledger.books import told
from tests.support.console import console_nowhere, pages_of
from tests.support.records import record

ROWS: Final = Path(__file__).parents[2] / "support" / "console_rows.sql"
CLICKS: Final = 3
EXAMPLES: Final = 8  # addresses of a page that are opened: more than there are rows of a thing
LINK: Final = re.compile(r'href="(/[^"#]*)"')
BUTTON: Final = re.compile(r'name="act" value="(\w+)"')
PATTERNS: Final = [
    (page, re.compile(re.sub(r"\{[^}]+\}", ".+", page))) for page in pages_of(console_nowhere())
]
# What a person looks for, and the page that has it; acts are found by themselves.
LOOKED_FOR: Final[Mapping[str, Mapping[str, str]]] = {
    "ada": {
        "the month, what is owed, what waits": "/",
        "the reserve": "/reserve",
        "what can be sent in the next days": "/reserve/forecast",
        "margin": "/margin/{by}",
        "rates with their history": "/rates/{kind}/{key:path}",
        "what another rate would do": "/rate-changes/{kind}/{key:path}",
        "changes of rates": "/rate-proposals/{proposal_id}",
        "limits crossed": "/credit/crossings",
        "a student whole": "/students/{student:path}",
        "a correction, old and new": "/corrections/{name:path}",
        "settlements": "/settlements",
        "a transfer with its history": "/transfers/{transfer_id}",
        "a payee": "/payees/{wallet:path}",
        "payments without a student": "/payments/unallocated",
        "a payment": "/payments/{charge_id}",
        "refunds and credits": "/notes/{note_id}",
        "disputes": "/payments/disputes",
        "ageing": "/accounts",
        "dunning": "/dunning",
        "a day compared with Stripe": "/reconciliation/{day}",
        "a break": "/reconciliation/breaks/{number}",
        "a flight that does not agree": "/reconciliation/flights/{number}",
        "a flight to the cent": "/flights/{flight_id:path}",
        "refused flights": "/flights/refused",
        "a wallet": "/wallets/{address:path}",
        "a dead letter": "/dead/{service}/{letter_id}",
        "questions of holders": "/questions/{question_id}",
        "how far services are behind": "/readers",
        "who did what": "/audit",
        "refused accesses": "/audit/refused",
        "settings and where they come from": "/settings",
        "statements": "/statements/{wallet:path}",
    },
    "otto": {
        "dead letters": "/dead/{service}/{letter_id}",
        "lags": "/readers",
        "parked money": "/transfers",
        "the reserve": "/reserve",
    },
    "instructor-01": {
        "flights": "/own/flights/{flight_id:path}",
        "earnings": "/own/statement",
        "transfers and why one waits": "/own/transfers",
        "statements": "/own/statements",
        "corrections": "/own/corrections",
        "answers": "/own/questions",
    },
    "owner-01": {"flights": "/own/flights", "statements": "/own/statements", "transfers": "/own/transfers"},
    "student-01": {
        "bills": "/own/flights/{flight_id:path}",
        "balance, holds and limit": "/own",
        "payments": "/own/payments",
        "what is open": "/own/items",
        "statements": "/own/statements",
        "a card": "/own/card",
    },
}


def page_of(path: str) -> str:
    fitting = [page for page, fits in PATTERNS if fits.fullmatch(path)]
    return min(fitting, key=lambda page: page.count("{"), default=path)


@pytest.fixture
async def one_of_each(open_db: OpenDatabase, database_url: str) -> None:
    """A school, its flights, one billed elsewhere, and one of each thing that waits for a person."""
    db = open_db("billing")
    await given_school(db, {"kind": "student", "key": "student-02", "new": {}})
    await given_billed(
        db,
        completed(),
        completed(flight_id="F2"),
        completed(flight_id="F100"),
        completed(flight_id="F101", student="student-02"),
    )
    await given_billed(db, completed(flight_id="OLD-1", billed_by="Old Planner"))
    asked = [one for one in await told(db) if one.topic == "journal.requested"]
    await post_journals(
        open_db("ledger"),
        [record(e.topic, e.value, ce_id=e.event_id, ce_source="hobbs/billing", key=e.key) for e in asked],
    )
    owner = await asyncpg.connect(database_url)
    await owner.execute(ROWS.read_text(encoding="utf-8"))
    await owner.close()


async def clicks_of(desk: Desk, person: str) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Clicks to each page and to each act's button (which is one more); and pages that do not open."""
    browser = await desk.browser(person)
    begin = str((await browser.get("/", follow_redirects=True)).url.path)
    waiting, known, broken = [(begin, 0)], dict[str, httpx.Response](), list[str]()
    pages, acts, opened = dict[str, int](), dict[str, int](), dict[tuple[str, bool], int]()
    while waiting:
        address, clicks = waiting.pop(0)
        page = page_of(httpx.URL(address).path)
        kind = (page, "?" in address)
        if address in known or address.startswith("/static") or opened.get(kind, 0) >= EXAMPLES:
            continue
        if clicks > CLICKS - 1 and page in pages:
            continue
        opened[kind] = opened.get(kind, 0) + 1
        known[address] = answer = await browser.get(address, follow_redirects=True)
        if answer.status_code != 200:
            broken.append(f"{address}: {answer.status_code}")
        pages[page] = min(pages.get(page, clicks), clicks)
        if clicks < CLICKS:
            for act in BUTTON.findall(answer.text):
                acts[act] = min(acts.get(act, clicks + 1), clicks + 1)
            links = [link.replace("&amp;", "&") for link in LINK.findall(answer.text)]
            waiting += [(link, clicks + 1) for link in links if "sort=" not in link and "as=" not in link]
    return pages, acts, broken


@pytest.mark.usefixtures("one_of_each")
async def test_every_job_of_the_office_is_three_clicks_from_the_overview(desk: Desk) -> None:
    pages, acts, broken = await clicks_of(desk, "ada")
    assert sorted(broken) == []
    far = {job: page for job, page in LOOKED_FOR["ada"].items() if pages.get(page, 99) > CLICKS}
    assert far == {}
    office = {act.name for act in ACTS.values() if act.roles & STAFF and not act.roles & HOLDERS}
    assert {name: acts.get(name) for name in office if acts.get(name, 99) > CLICKS} == {}


@pytest.mark.usefixtures("one_of_each")
async def test_operations_finds_what_stands_still_in_three_clicks(desk: Desk) -> None:
    pages, _, broken = await clicks_of(desk, "otto")
    assert sorted(broken) == []
    assert {job for job, page in LOOKED_FOR["otto"].items() if pages.get(page, 99) > CLICKS} == set()


@pytest.mark.usefixtures("one_of_each")
async def test_every_job_of_a_holder_is_three_clicks_from_their_money(desk: Desk) -> None:
    offered: set[str] = set()
    for person in ("instructor-01", "owner-01", "student-01"):
        pages, acts, broken = await clicks_of(desk, person)
        assert broken == [], person
        far = {job: page for job, page in LOOKED_FOR[person].items() if pages.get(page, 99) > CLICKS}
        assert far == {}, person
        offered |= {name for name, clicks in acts.items() if clicks <= CLICKS}
    assert offered == {act.name for act in ACTS.values() if act.roles & HOLDERS}


@pytest.mark.usefixtures("one_of_each")
async def test_a_refused_flight_waits_once_on_the_overview(desk: Desk) -> None:
    ada = await desk.browser("ada")
    overview = (await ada.get("/")).text
    said = re.sub(r"<[^>]+>", " ", overview)
    assert re.search(r"\b1\s+flight was refused", said)
    assert re.search(r"\b1\s+record could not be processed", said), "the other one"
    listed = (await ada.get("/dead?f.state=open&f.what=other&as=csv")).text.splitlines()
    assert len(listed) == 2
    assert "no JSON" in listed[1]
    grouped = (await ada.get("/dead")).text
    assert "/dead?f.state=open&amp;f.service=billing&amp;f.topic=flight.completed&amp;f.reason=" in grouped
    assert "The 2 open of this page together" in grouped
    [letter] = set(re.findall(r"/dead/billing/[0-9a-f-]{36}", (await ada.get("/flights/refused")).text))
    assert "Put it there, then send this again" in (await ada.get(letter)).text


@pytest.mark.usefixtures("one_of_each")
async def test_the_forecast_of_the_reserve_is_a_page(desk: Desk, open_db: OpenDatabase) -> None:
    vera = await desk.browser("vera")
    for address in ("/reserve/forecast", "/reserve/forecast?without=payments"):
        page = (await vera.get(address)).text
        assert "Day by day" in page, address
        assert "Must stay at Stripe" in page
    assert "As if no card paid" in (await vera.get("/reserve/forecast")).text
    async with open_db("reserves").transaction() as tx:
        await tx.execute("UPDATE judgement SET gate = 'off'")
    assert "The school keeps no reserve" in (await vera.get("/reserve/forecast")).text
