"""The console over a whole fleet: people act in it, holders see their own money, a real browser drives it.

One fleet flies the demo's flights for all of these tests; they run in the order of the file.
"""

import asyncio
import csv
import io
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from playwright.async_api import Page, async_playwright

from console.app import HOLDER_ROLE
from console.context import Console
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database
from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import Fleet, not_ready, start_console, stop_services
from hobbs.local.stack import Simulator
from schemas.services import CONSOLE
from tests.support.corrections import MAKER, correction, lesson, publish_in_order
from tests.support.databases import Cluster, Template, cloned, service_url
from tests.support.fleets import Silent, fleet_on
from tests.support.stripe import emptied

SECRET: Final = "only-for-this-machine-0123456789"
PAGE_BYTES_MAX: Final = 500_000
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
FIRST, SECOND = lesson("k-first"), lesson("k-second", student="student-01", instructor="instructor-03")
ODD: Final = (
    "", "0", "-1", "9" * 30, "\x00", "'", '"><script>', "%00", "../../etc/passwd", "null", "NaN", "é" * 300,
    "[]", "{}", "2026-13-45", "a" * 3_000, "eyJ", "WzEsMl0", "\u202e",
)  # fmt: skip


class Visitor(httpx.AsyncClient):
    """A signed-in person, as the console sees their browser."""

    async def form_token(self) -> str:
        page = await self.get("/", follow_redirects=True)
        found = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert found is not None
        return found[1]

    async def preview(self, act: str, *objects: str, **fields: str) -> str:
        """Ask what an act would do; the address of the answer."""
        sent = {"form_token": await self.form_token(), "act": act, "object": list(objects), **fields}
        answer = await self.post("/acts", data=sent)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def confirm(self, address: str) -> str:
        """Have the act done; what became of it, as the page says it."""
        sent = await self.post(address, data={"form_token": await self.form_token()})
        assert sent.status_code == 303
        return await self.outcome(address)

    async def outcome(self, address: str) -> str:
        for _ in range(100):
            text = (await self.get(address)).text
            if "has not answered yet" not in text:
                return text
            await asyncio.sleep(0.2)
        raise AssertionError("nobody answered")


@dataclass(slots=True, kw_only=True)
class School:
    """A fleet with the demo's flights, and its console."""

    fleet: Fleet
    figures: Figures
    story: Story
    origin: str
    visitors: dict[str, Visitor]

    async def visitor(self, name: str) -> Visitor:
        if name not in self.visitors:
            visitor = Visitor(base_url=self.origin, headers={"origin": self.origin}, timeout=30)
            entered = await visitor.post("/login/local", data={"key": SECRET, "person": name})
            assert entered.status_code == 303, entered.text
            self.visitors[name] = visitor
        return self.visitors[name]


@pytest.fixture(scope="module")
async def school(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    template: Template,
    kafka: str,
    stripe_sim_process: Simulator,
) -> AsyncIterator[School]:
    folder = tmp_path_factory.mktemp("console")
    with emptied(stripe_sim_process) as stripe_sim:
        async with (
            cloned(cluster, template) as url,
            fleet_on(folder, owner_url=url, kafka=kafka, stripe_sim=stripe_sim) as running,
            Figures(running.fleet) as figures,
        ):
            fleet = replace(running.fleet, console_secret=SECRET)
            story = Story(fleet, figures, Silent(), running.require_running)
            await story.open_school()
            child = start_console(fleet)
            visitors: dict[str, Visitor] = {}
            try:
                await story.fly()
                await publish_in_order(fleet, [FIRST, SECOND])
                await story.settle()
                for _ in range(300):
                    child.require_running()
                    if not not_ready(fleet.ops_url(CONSOLE)):
                        break
                    await asyncio.sleep(0.1)
                parts = urlsplit(fleet.console_url)
                origin = f"{parts.scheme}://{parts.netloc}"
                yield School(fleet=fleet, figures=figures, story=story, origin=origin, visitors=visitors)
            finally:
                for visitor in visitors.values():
                    await visitor.aclose()
                stop_services([child])


async def test_a_correction_is_approved_by_another_than_its_maker_and_once_for_two_clicks(
    school: School,
) -> None:
    later = [
        correction(one, 2, hobbs_in="1002.3", flight_hours="2.3", dual_hours="2.3") for one in (FIRST, SECOND)
    ]
    made_by_ann = [(topic, {**body, "corrected_by": "ann"}) for topic, body in later]
    await publish_in_order(school.fleet, made_by_ann)
    await school.story.settle()
    ann, bea = await school.visitor("ann"), await school.visitor("bea")
    assert {"k-first:2", "k-second:2"} <= set(
        re.findall(r'name="object" value="([^"]+)"', (await bea.get("/corrections")).text)
    )
    refused = await ann.outcome(await ann.preview("approve", "k-first:2"))
    assert "ann made this" in refused, "nobody approves what they made"
    address = await bea.preview("approve", "k-first:2")
    shown = await bea.outcome(address)
    assert "It would do this" in shown
    assert "instructor:instructor-01" in shown
    token = await bea.form_token()
    clicks = await asyncio.gather(*(bea.post(address, data={"form_token": token}) for _ in range(5)))
    assert {click.status_code for click in clicks} == {303}
    assert "Done:" in await bea.outcome(address)
    await school.story.settle()
    page = (await bea.get("/corrections/k-first:2")).text
    assert page.count("<td>bea</td>") == 2, "one approval, and one step of its history"
    audit = csv.DictReader(io.StringIO((await bea.get("/audit?as=csv&f.object=k-first:2")).text))
    assert [(row["Who"], row["What"], row["Outcome"]) for row in audit] == [("bea", "approve", "done")]


async def test_what_changed_since_its_preview_is_not_done(school: School) -> None:
    bea, ada = await school.visitor("bea"), await school.visitor("ada")
    address = await bea.preview("reject", "k-second:2", why="the meter was right")
    assert "Done:" in await ada.confirm(await ada.preview("reject", "k-second:2", why="the same"))
    said = await bea.confirm(address)
    assert "Refused:" in said


async def test_a_role_is_asked_for_when_the_form_is_sent_not_only_when_the_button_is_shown(
    school: School,
) -> None:
    vera, paula, otto = [await school.visitor(name) for name in ("vera", "paula", "otto")]
    letter = re.findall(r"/dead/(\w+)/([0-9a-f-]{36})", (await otto.get("/dead?f.state=open")).text)[0]
    for visitor in (vera, paula):
        sent = {"form_token": await visitor.form_token(), "act": "approve", "object": "k-first:2"}
        assert (await visitor.post("/acts", data=sent)).status_code == 403
    assert "Done:" in await otto.confirm(await otto.preview("discard", "/".join(letter), why="a test record"))
    refused = (await otto.get("/audit/refused?as=csv")).text
    assert '"vera","POST","/acts"' in refused


async def test_a_form_without_its_session_s_token_does_nothing(school: School) -> None:
    bea = await school.visitor("bea")
    sent = {"form_token": "guessed", "act": "approve", "object": "k-first:2"}
    assert (await bea.post("/acts", data=sent)).status_code == 403
    address = await bea.preview("approve", "k-first:2")
    assert (await bea.post(address, data={})).status_code == 403
    ann = await school.visitor("ann")
    assert (await ann.get(address)).status_code == 404, "a preview is its person's"
    assert (await ann.post(address, data={"form_token": await ann.form_token()})).status_code == 404


async def test_pages_and_files_say_what_the_ledger_says_to_the_cent(school: School) -> None:
    ann = await school.visitor("ann")
    rows = list(csv.DictReader(io.StringIO((await ann.get("/wallets?as=csv")).text)))
    shown = {row["Wallet"]: round(float(row["Balance"]) * 100) for row in rows}
    owner = await asyncpg.connect(school.fleet.owner_url)
    books = await owner.fetch(
        "SELECT address, balance FROM ledger_public.wallets WHERE currency = 'USD' ORDER BY address"
    )
    await owner.close()
    assert shown == {row["address"]: row["balance"] for row in books}
    flight = (await ann.get("/flights/k-first")).text
    assert "agree to the cent" in flight
    statement = (await ann.get("/wallets/instructor:instructor-01")).text
    assert f"{shown['instructor:instructor-01'] / 100:,.2f}" in statement


HOLDERS: Final = {
    "student-01": "student:student-01",
    "instructor-01": "instructor:instructor-01",
    "instructor-03": "instructor:instructor-03",
    "owner-01": "aircraft_owner:owner-01",
    "owner-02": "aircraft_owner:owner-02",
}
OWN: Final = ("/own", "/own/flights", "/own/statement", "/own/transfers", "/own/payments", "/own/corrections")


async def test_a_holder_sees_one_wallet_whatever_the_page_and_the_parameter(school: School) -> None:
    flights: dict[str, set[str]] = {}
    for name in HOLDERS:
        visitor = await school.visitor(name)
        file = csv.DictReader(io.StringIO((await visitor.get("/own/flights?as=csv")).text))
        flights[name] = {row["Flight"] for row in file}
    assert flights["instructor-01"] - flights["instructor-03"]
    for name, wallet in HOLDERS.items():
        visitor = await school.visitor(name)
        for path in OWN:
            for query in ("", f"?wallet={quote('instructor:instructor-01')}&f.wallet=instructor", "?as=csv"):
                page = await visitor.get(path + query)
                assert page.status_code == 200
                others = set(re.findall(r"(?:student|instructor|aircraft_owner):[\w-]+", page.text)) - {
                    wallet
                }
                assert not others, (name, path, others)
        for flight in set().union(*flights.values()):
            status = (await visitor.get(f"/own/flights/{flight}")).status_code
            assert status == (200 if flight in flights[name] else 404), (name, flight)
        for path in (
            "/",
            "/transfers",
            "/wallets/instructor:instructor-01",
            "/flights/k-first",
            "/audit",
            "/dead",
        ):
            assert (await visitor.get(path)).status_code in (303, 403), path


async def test_the_database_shows_a_holder_nothing_else_even_to_a_wrong_query(school: School) -> None:
    connection = await asyncpg.connect(service_url(school.fleet.owner_url, CONSOLE))
    await connection.execute(f"SET ROLE {HOLDER_ROLE}")
    assert await connection.fetch("SELECT * FROM console_public.own_transfers()") == [], "nobody asks"
    await connection.execute("SELECT set_config('app.actor', 'instructor:instructor-03', false)")
    sources = await connection.fetch("SELECT DISTINCT source FROM console_public.own_entries()")
    assert sources
    for view in (
        "payouts_public.transfers",
        "ledger_public.entries",
        "billing_public.bills",
        "console.decision",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"TABLE {view}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("INSERT INTO console.question (id) VALUES (uuidv7())")
    await connection.close()


async def test_a_question_of_a_holder_is_answered_once_and_they_read_it(school: School) -> None:
    holder, ann = await school.visitor("instructor-01"), await school.visitor("ann")
    page = (await holder.get("/own/flights/k-first")).text
    fields = dict(re.findall(r'name="(form_token|question|about)" value="([^"]+)"', page))
    for _ in range(3):
        sent = await holder.post("/own/questions", data={**fields, "words": "why 2.3 h <b>?"})
        assert sent.status_code == 303
    found = re.findall(r"/questions/([0-9a-f-]{36})", (await ann.get("/questions")).text)
    assert len(set(found)) == 1
    assert "<b>?" not in (await ann.get(f"/questions/{found[0]}")).text
    for words in ("the meter said so", "another answer"):
        await ann.post(f"/questions/{found[0]}", data={"form_token": await ann.form_token(), "words": words})
    mine = (await holder.get("/own/questions")).text
    assert "the meter said so" in mine
    assert "another answer" not in mine


def routes() -> list[str]:
    settings = ConsoleSettings.model_validate(
        {
            "database_url": "postgresql://x@127.0.0.1/x",
            "kafka_bootstrap": "127.0.0.1:1",
            "console_login": "local",
            "console_local_secret": SECRET,
        }
    )
    nowhere = Database("postgresql://x@127.0.0.1/x", schema="x", pool_size=1)
    edge: Any = build_web(Console(settings=settings, db=nowhere, holders=nowhere, templates=templates()))
    app: FastAPI = edge._app
    return [r.path for r in app.routes if isinstance(r, APIRoute) and "GET" in (r.methods or ())]


async def test_no_page_breaks_whatever_is_asked_of_it_and_none_is_large(school: School) -> None:
    people = [await school.visitor(name) for name in ("ada", "student-01")]
    for path in routes():
        if path.startswith("/login"):
            continue
        for number, odd in enumerate(ODD):
            filled = re.sub(r"\{[^}]+\}", quote(odd, safe=""), path)
            query = {"sort": odd, "after": odd, "f.state": odd, "f.created_at.from": odd, "before": odd,
                     "revision": odd, "currency": odd, "f.wallet": odd, "as": ODD[number - 1]}  # fmt: skip
            page = await people[number % 2].get(filled, params=query if number % 3 else {})
            assert page.status_code < 500, (filled, odd)
            assert "<script>" not in page.text.replace("<script src=", "")
            assert len(page.content) < PAGE_BYTES_MAX
    log = (school.fleet.folder / "logs" / "console.log").read_text()
    assert "request failed" not in log
    assert SECRET not in log


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
async def test_in_a_real_browser_a_correction_is_approved_and_nothing_is_blocked_or_too_wide(
    school: School,
) -> None:
    await publish_in_order(
        school.fleet, [correction(FIRST, 3, hobbs_in="1003.3", flight_hours="3.3", dual_hours="3.3")]
    )
    await school.story.settle()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await chromium.new_context(viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        complaints: list[str] = []
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(school.fleet.console_url)
        await page.click("button[value=bea]")
        await page.click("text=corrections wait for approval")
        await page.click("text=k-first:3")
        await page.fill("details[open] input[name=why], .doing input[name=why]", "read again")
        await page.click("summary:has-text('Approve')")
        await page.click("button:has-text('Approve: show what it does')")
        await page.click("form.confirm button")
        await page.wait_for_selector("text=Done:")
        assert "Receipt: decision" in await page.inner_text("main")
        for path in ("/", "/transfers", "/corrections/k-first:3", "/flights/k-first", "/wallets", "/audit"):
            for width in (1440, 390):
                for theme in ("light", "dark"):
                    await look(page, school.origin, path, width, theme)
        await chromium.close()
    assert complaints == [], "the browser blocked or missed something"
    await school.story.settle()
    assert MAKER


async def look(page: Page, origin: str, path: str, width: int, theme: str) -> None:
    await page.context.add_cookies([{"name": "theme", "value": theme, "url": origin}])
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(origin + path)
    too_wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert too_wide <= 0, (path, width)
    assert await page.get_attribute("html", "data-bs-theme") == theme
