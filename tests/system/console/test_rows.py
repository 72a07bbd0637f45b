"""A holder sees one wallet through every page and every parameter; no question breaks a page."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from console.app import HOLDER_ROLE
from schemas.services import CONSOLE
from tests.support.console import SECRET, School, console_nowhere, pages_of
from tests.support.databases import service_url

HOLDERS: Final = {
    "student-01": "student:student-01",
    "instructor-01": "instructor:instructor-01",
    "instructor-03": "instructor:instructor-03",
    "owner-01": "aircraft_owner:owner-01",
    "owner-02": "aircraft_owner:owner-02",
}
PAGES: Final = pages_of(console_nowhere())
PATTERNS: Final = [(page, re.compile(re.sub(r"\{[^}]+\}", ".+", page))) for page in PAGES]
PAGE_BYTES_MAX: Final = 500_000
NAMES_TRIED: Final = (
    "wallet",
    "source",
    "flight_id",
    "person",
    "holder",
    "key",
    "app.actor",
    "state",
    "aircraft",
)
EXAMPLES_OF_A_PAGE: Final = 3
ODD: Final = (
    "", "0", "-1", "9" * 30, "\x00", "'", '"><script>', "%00", "../../etc/passwd", "null", "NaN", "é" * 300,
    "[]", "{}", "2026-13-45", "a" * 3_000, "eyJ", "WzEsMl0", "\u202e",
)  # fmt: skip
WALLET: Final = re.compile(r"(?:student|instructor|aircraft_owner):[\w-]+")
LINK: Final = re.compile(r'(?:href|hx-get|method="get" action)="(/[^"#]*)"')


def pattern_of(path: str) -> str:
    """The page that an address is of: its route's path, as far as it can be told from its text."""
    fitting = [page for page, fits in PATTERNS if fits.fullmatch(path)]
    return min(fitting, key=lambda page: page.count("{"), default=path)


async def crawled(school: School, person: str, *, begin: str) -> dict[str, httpx.Response]:
    """Every address that a person comes to by links, a few of each page. Each person walks once."""
    if person in school.crawls:
        return school.crawls[person]
    visitor, waiting, answers = await school.visitor(person), [begin], dict[str, httpx.Response]()
    seen: dict[tuple[str, bool], int] = {}
    while waiting:
        address = waiting.pop(0)
        page = (pattern_of(httpx.URL(address).path), "?" in address)
        if address in answers or seen.get(page, 0) >= EXAMPLES_OF_A_PAGE or address.startswith("/static"):
            continue
        seen[page] = seen.get(page, 0) + 1
        answers[address] = await visitor.get(address)
        waiting += [link.replace("&amp;", "&") for link in LINK.findall(answers[address].text)]
    school.crawls[person] = answers
    return answers


def others(text: str, wallet: str) -> set[str]:
    return set(WALLET.findall(text)) - {wallet}


async def test_every_link_that_finance_comes_to_leads_to_a_page(school: School) -> None:
    answers = await crawled(school, "ada", begin="/")
    assert {path: one.status_code for path, one in answers.items() if one.status_code >= 400} == {}
    assert {path for path, one in answers.items() if len(one.content) > PAGE_BYTES_MAX} == set()
    assert len({pattern_of(httpx.URL(path).path) for path in answers}) > 20, "the walk came to few pages"


async def test_a_holder_opens_no_address_of_finance_and_no_thing_of_another(school: School) -> None:
    """Every address that finance comes to, and every one that another holder does."""
    of_finance = [path for path in await crawled(school, "ada", begin="/") if path != "/"]
    own = {name: await crawled(school, name, begin="/own") for name in HOLDERS}
    for name, wallet in HOLDERS.items():
        visitor = await school.visitor(name)
        for path in of_finance:
            page = await visitor.get(path)
            assert page.status_code in (303, 403, 404), (name, path)
            assert not others(page.text.replace(quote(path), ""), wallet), (name, path)
        for path, page in own[name].items():
            assert page.status_code in (200, 303), (name, path)
            assert not others(page.text, wallet), (name, path)
        for path in {path for other in HOLDERS if other != name for path in own[other]}:
            page = await visitor.get(path)
            # 303: from the front page to one's own; 403: only students have cards.
            assert page.status_code in (200, 303, 403, 404), (name, path)
            assert not others(page.text, wallet), (name, path)


async def test_no_parameter_shows_a_holder_another_s_rows(school: School) -> None:
    lists = [path for path in PAGES if path.startswith("/own/") and "{" not in path]
    for number, (name, wallet) in enumerate(HOLDERS.items()):
        visitor, other = await school.visitor(name), list(HOLDERS.values())[number - 1]
        for path in lists:
            mine = set(await rows(school, name, path, {}))
            for query in asked_for(other):
                assert set(await rows(school, name, path, query)) <= mine, (name, path, query)
            page = await visitor.get(path, params=query)
            assert not others(page.text.replace(other, ""), wallet), (name, path)


def asked_for(wallet: str) -> Iterable[dict[str, str]]:
    """What somebody may try who wants to see this wallet."""
    for value in (wallet, wallet.partition(":")[2], "%", "_"):
        for prefix in ("", "f."):
            yield {prefix + name: value for name in NAMES_TRIED}
    yield {"sort": f"wallet = '{wallet}'", "after": "WyIwMDAwIiwiMDAwMCJd"}


async def rows(school: School, person: str, path: str, query: dict[str, str]) -> list[tuple[str, ...]]:
    """The rows of a list's file; none where a page is no list."""
    answer = await (await school.visitor(person)).get(path, params={**query, "as": "csv"})
    if not answer.headers["content-type"].startswith("text/csv"):
        return []
    return [tuple(row) for row in csv.reader(io.StringIO(answer.text))]


async def test_a_flight_opens_for_those_who_flew_taught_or_own_and_for_nobody_else(school: School) -> None:
    flights: dict[str, set[str]] = {}
    for name in HOLDERS:
        file = (await (await school.visitor(name)).get("/own/flights?as=csv")).text
        flights[name] = {row["Flight"] for row in csv.DictReader(io.StringIO(file))}
    assert flights["instructor-01"] - flights["instructor-03"]
    alike: dict[frozenset[str], list[str]] = {}  # by those who see them
    for flight in sorted(set().union(*flights.values())):
        alike.setdefault(frozenset(name for name in HOLDERS if flight in flights[name]), []).append(flight)
    assert len(alike) > 2
    asked = [flight for some in alike.values() for flight in some[:EXAMPLES_OF_A_PAGE]]
    for name in HOLDERS:
        visitor = await school.visitor(name)
        for flight in asked:
            status = (await visitor.get(f"/own/flights/{flight}")).status_code
            assert status == (200 if flight in flights[name] else 404), (name, flight)


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
    page = (await holder.get("/own/lines/flight:k-first:1")).text
    fields = dict(re.findall(r'name="(form_token|question|about)" value="([^"]+)"', page))
    other = await school.visitor("instructor-03")
    theirs = {**fields, "form_token": await other.form_token(), "words": "whose is it?"}
    assert (await other.post("/own/questions", data=theirs)).status_code == 404
    for _ in range(3):
        sent = await holder.post("/own/questions", data={**fields, "words": "why 2.3 h <b>?"})
        assert sent.status_code == 303
    found = re.findall(r"/questions/([0-9a-f-]{36})", (await ann.get("/questions")).text)
    assert len(set(found)) == 1
    asked = (await ann.get(f"/questions/{found[0]}")).text
    assert "<b>?" not in asked
    assert 'href="/flights/k-first"' in asked
    for words in ("the meter said so", "another answer"):
        await ann.post(f"/questions/{found[0]}", data={"form_token": await ann.form_token(), "words": words})
    mine = (await holder.get("/own/questions")).text
    assert "the meter said so" in mine
    assert "another answer" not in mine


async def test_no_page_breaks_whatever_is_asked_of_it_and_none_is_large(school: School) -> None:
    people = [await school.visitor(name) for name in ("ada", "student-01")]
    for path in PAGES:
        if path.startswith("/login"):
            continue
        for number, odd in enumerate(ODD):
            if number % 3 == 0 and number and "{" not in path:
                continue  # it was opened without a question already
            filled = re.sub(r"\{[^}]+\}", quote(odd, safe=""), path)
            query = {"sort": odd, "after": odd, "f.state": odd, "f.created_at.from": odd, "before": odd,
                     "revision": odd, "currency": odd, "f.wallet": odd, "as": ODD[number - 1]}  # fmt: skip
            page = await people[path.startswith("/own")].get(filled, params=query if number % 3 else {})
            assert page.status_code < 500, (filled, odd)
            assert "<script>" not in page.text.replace("<script src=", "")
            assert len(page.content) < PAGE_BYTES_MAX
    log = (school.fleet.folder / "logs" / "console.log").read_text()
    assert "request failed" not in log
    assert SECRET not in log
