"""The console's pages over 100,000 flights and a million entries: server time, and how large each page is.

The application runs in this process and is asked one page at a time, as its own database roles; beside it,
in the same application, a page that asks the database for nothing but `SELECT 1`. The past is written by SQL
(console_past.sql, and bench/growth.py for the ledger). What is kept for seconds (console/recent.py) is asked
for as it comes and read anew. Then every page is asked again while the workers bill, post and pay 50 flights
a second: until the whole answer is there, which is later than its first byte.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import httpx
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from pydantic import SecretStr

from bench.figures import Figure, at_most
from bench.flights import UNHURRIED, Flights, open_school, start_all
from bench.growth import write_past
from bench.readers import percentile
from bench.servers import Deployment, deployed
from console.app import HOLDER_ROLE, READ_SCHOOL_EVERY_S, keep_collector_off
from console.context import Console, Visit
from console.edge import Edge
from console.guard import Pages
from console.roles import ROLES
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database
from hobbs.local.child import Child
from hobbs.local.stack import Stack
from schemas.services import CONSOLE, SERVICES

FLIGHTS, JOURNALS = 100_000, 333_334
ASKED, WARMED = 20, 2
READY = 100  # payees: whoever is not by then has transfers that wait, as in any school
PAGE_MS, PAGE_BYTES = 100.0, 500_000
LOADED_PER_S, LOADED_WARM_S, LOADED_S, LOADED_MS = 50.0, 5.0, 40.0, 200.0
SECRET: Final = "only-for-this-bench-0123456789"
PAST: Final = Path(__file__).with_name("console_past.sql")
BARE: Final = "/bare"
ANEW: Final = ("/", "/accounts", "/margin/aircraft", "/margin/student", "/margin/month")  # kept for seconds
READ_ANEW: Final = " (read anew)"
# {n} is another flight or payment each time, {p} another person, {t} another transfer, {month} the first day
# of this one, {now}.
STAFF_PAGES: Final = (
    "/", "/transfers", "/transfers?f.state=held", "/transfers?sort=amount", "/transfers?f.wallet=past-{p}",
    "/transfers/{t}",
    "/payees", "/payees?f.ready=no", "/payees/instructor:past-{p}", "/payments", "/payments/ch_{n}",
    "/payments/unallocated", "/payments/disputes", "/payments/by-hand", "/payments/deposits",
    "/accounts", "/accounts/items",
    "/dunning", "/dunning/today", "/students/past-{p}", "/credit", "/credit/crossings", "/credit/changes",
    "/allowances", "/notes",
    "/cards", "/charges",
    "/movements", "/corrections", "/corrections/all",
    "/settlements", "/reserve", "/reserve/forecast",
    "/reconciliation", "/reconciliation/breaks", "/reconciliation/flights",
    "/reconciliation/flights/by-aircraft",
    "/flights", "/flights?f.student=past-{p}", "/flights?f.billed_on.from={month}&sort=margin",
    "/flights/past-{n}",
    "/flights/refused",
    "/wallets", "/wallets?f.kind=student&sort=balance", "/wallets/instructor:past-{p}",
    "/wallets/platform:school", "/journals/flight:past-{n}:1", "/rates", "/rates/instructor/past-{p}",
    "/rate-changes/instructor/past-{p}", "/rate-proposals", "/settings",
    "/margin/aircraft", "/margin/student", "/margin/month",
    "/find?q=past-{p}", "/find?q=ch_{n}", "/find?q=361.51",
    "/dead", "/readers", "/questions", "/audit", "/audit/refused",
    "/statements/instructor:past-{p}", "/statements/instructor:past-{p}?month={now}",
)  # fmt: skip
HOLDER_PAGES: Final = (
    "/own", "/own/flights", "/own/flights?f.aircraft=N105", "/own/statement", "/own/transfers",
    "/own/corrections", "/own/questions", "/own/statements", "/own/statements?month={now}",
)  # fmt: skip
PEOPLE: Final = {"ada": STAFF_PAGES, "past-7": HOLDER_PAGES}


async def measure(stack: Stack) -> list[Figure]:
    """The 95th percentile of each page's server time; the slowest are figures, the others are in the note."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        await write_past(owner, JOURNALS)
        deployment.stop(await with_a_school(deployment))
        await owner.execute(PAST.read_text(encoding="utf-8"), timeout=600)
        await owner.execute("VACUUM (ANALYZE)", timeout=600)
        await owner.close()
        found: dict[str, list[float]] = {}
        sizes: dict[str, int] = {}
        async with application(deployment.fleet.database_url(CONSOLE)) as (app, console):
            for person, pages in PEOPLE.items():
                browser = await signed_in(app, person)
                for page in (BARE, *pages):
                    found[page], sizes[page] = await asked(browser, page)
                    if page in ANEW:
                        found[page + READ_ANEW], _ = await asked(browser, page, before=console.recent.forget)
                await browser.aclose()
            loaded = await while_flights_are_posted(deployment, app)
    return [*figures(found, sizes), loaded]


async def with_a_school(deployment: Deployment) -> list[Child]:
    """The workers that bill and pay the flights of the second part, with the school that flies them."""
    workers = await start_all(deployment, *SERVICES, settings=UNHURRIED)
    await open_school(deployment, ready=READY)
    return workers


async def while_flights_are_posted(deployment: Deployment, app: httpx.ASGITransport) -> Figure:
    """Ask one page after the other while flights come; the 95th percentile of all answers."""
    await start_all(deployment, *SERVICES, settings=UNHURRIED)
    browser = await signed_in(app, "ada")
    async with AIOKafkaProducer(bootstrap_servers=deployment.fleet.kafka_bootstrap, acks="all") as producer:
        flights = Flights(deployment=deployment, producer=producer, dice=random.Random(7))
        await flights.publish(LOADED_PER_S, LOADED_WARM_S)
        posting = asyncio.create_task(flights.publish(LOADED_PER_S, LOADED_S))
        found, turn = dict[str, list[float]](), 0
        while not posting.done():
            page = STAFF_PAGES[turn % len(STAFF_PAGES)]
            turn += 1
            found.setdefault(page, []).append(await answered_after(browser, page, turn))
            await asyncio.sleep(0)
        await posting
    await browser.aclose()
    waits = [wait for some in found.values() for wait in some]
    late = {page: median(some) for page, some in found.items() if median(some) > LOADED_MS}
    missed = ", ".join(f"{page} {ms:.3g} ms" for page, ms in late.items()) or "none"
    return Figure(
        name=f"console: a page while {LOADED_PER_S:g} flights a second are posted, 95th percentile",
        value=percentile(waits, 0.95),
        unit="ms",
        limit=at_most(LOADED_MS),
        note=f"{len(waits)} answers, median {median(waits):.3g} ms; pages whose median is later: {missed}",
    )


@asynccontextmanager
async def application(url: str) -> AsyncIterator[tuple[httpx.ASGITransport, Console]]:
    """The console's application with one page more, and its console."""
    settings = ConsoleSettings.model_validate(
        {
            "database_url": SecretStr(url),
            "kafka_bootstrap": "127.0.0.1:1",
            "console_login": "local",
            "console_local_secret": SecretStr(SECRET),
        }
    )
    db = Database(url, schema="console", pool_size=2)
    holders = Database(url, schema="console_public", role=HOLDER_ROLE, pool_size=2)
    console = Console(settings=settings, db=db, holders=holders, templates=templates())
    web = build_web(console)
    assert isinstance(web, Edge)
    assert isinstance(web._app, FastAPI)
    pages = Pages()

    @pages.get(BARE, ROLES)
    async def bare(visit: Visit) -> HTMLResponse:
        async with visit.reading() as tx:
            return HTMLResponse(f"<p>{(await tx.one('SELECT 1 AS one')).one}</p>")

    web._app.include_router(pages.router)
    keep_collector_off()
    names = asyncio.create_task(_read_names(console))
    try:
        yield httpx.ASGITransport(web, raise_app_exceptions=False), console
    finally:
        names.cancel()
        await db.close()
        await holders.close()


async def _read_names(console: Console) -> None:
    """As the process's timer does, so that no page waits for it."""
    while True:
        await console.read_school()
        await asyncio.sleep(READ_SCHOOL_EVERY_S)


async def signed_in(app: httpx.ASGITransport, person: str) -> httpx.AsyncClient:
    origin = "http://127.0.0.1:8090"
    browser = httpx.AsyncClient(transport=app, base_url=origin, headers={"origin": origin}, timeout=60)
    entered = await browser.post("/login/local", data={"key": SECRET, "person": person})
    entered.raise_for_status() if entered.status_code != 303 else None
    return browser


async def asked(
    browser: httpx.AsyncClient, page: str, *, before: Callable[[], None] = lambda: None
) -> tuple[list[float], int]:
    """How many milliseconds a page took each time, and its largest size; the first few times do not count.

    before: is done before each time.
    """
    took, largest = list[float](), 0
    for number in range(-WARMED, ASKED):
        address = address_of(page, number + WARMED)
        before()
        began = time.perf_counter()
        answer = await browser.get(address)
        if number >= 0:
            took.append((time.perf_counter() - began) * 1_000)
        require_page(answer)
        largest = max(largest, len(answer.content))
    return took, largest


async def answered_after(browser: httpx.AsyncClient, page: str, turn: int) -> float:
    """How many milliseconds a page's whole answer took."""
    began = time.perf_counter()
    answer = await browser.get(address_of(page, turn))
    require_page(answer)
    return (time.perf_counter() - began) * 1_000


def require_page(answer: httpx.Response) -> None:
    """A page, or the way to the one thing that was found. Raises AssertionError."""
    found = answer.status_code == 303 and not answer.headers["location"].startswith("/login")
    if answer.status_code != 200 and not found:
        raise AssertionError(f"{answer.request.url} answered {answer.status_code}")


def address_of(page: str, turn: int) -> str:
    """The page's address with another person and flight each turn, and this month."""
    month = f"{datetime.now(UTC):%Y-%m}-01"
    return (
        page.replace("{p}", str(turn % 1_000))
        .replace("{n}", str(1 + turn * 97 % 50_000))
        .replace("{t}", str(UUID(f"{1 + turn * 97 % 50_000:012x}70008000000000000002")))
        .replace("{month}", month)
        .replace("{now}", month[:7])
    )


def figures(found: dict[str, list[float]], sizes: dict[str, int]) -> list[Figure]:
    bare = percentile(found.pop(BARE), 0.95)
    largest = max(sizes, key=lambda page: sizes[page])
    slow = sorted(found, key=lambda page: -percentile(found[page], 0.95))
    return [
        *(
            Figure(
                name=f"console: {page}, 95th percentile of its server time",
                value=percentile(found[page], 0.95),
                unit="ms",
                limit=at_most(PAGE_MS),
                baseline=("a page of SELECT 1 in the same application, ms", bare),
                note=f"median {percentile(found[page], 0.5):.3g} ms; 100,000 flights, 1,000,000 entries",
            )
            for page in slow
        ),
        Figure(
            name="console: largest page",
            value=sizes[largest],
            unit="bytes",
            limit=at_most(PAGE_BYTES),
            note=largest,
        ),
    ]
