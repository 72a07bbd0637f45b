"""Who gets in, from where, for how long, and what every answer says to a browser."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY
from pydantic import ValidationError

from console.app import measure
from console.edge import HEADERS
from console.guard import cookie_name
from console.rate import TRIES_OF_ONE
from tests.conftest import OpenDatabase
from tests.integration.console.conftest import LINK_SECRET, ORIGIN, Desk, MakeDesk, console_settings
from tests.support.console import routes
from tests.support.databases import service_url

OPEN = {"/login", "/logout", "/login/local", "/login/begin", "/login/answer", "/login/ended", "/static"}


async def refusals(open_db: OpenDatabase) -> list[tuple[str | None, str, str]]:
    async with open_db("console").transaction() as tx:
        rows = await tx.all("SELECT person, path, why FROM refused_access ORDER BY at")
    return [(row.person, row.path, row.why) for row in rows]


async def test_whoever_has_the_link_chooses_a_person_and_the_cookie_is_a_script_s_no_business(
    desk: Desk,
) -> None:
    browser = desk.opened()
    chooser = await browser.get("/login/local", params={"key": LINK_SECRET})
    assert "Ann, who approves" in chooser.text
    entered = await browser.sign_in("ann")
    cookie = entered.headers["set-cookie"]
    assert entered.status_code == 303
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    page = await browser.get("/transfers")
    assert page.status_code == 200
    assert "No transfer yet" in page.text


async def test_pages_refused_sign_ins_and_sessions_are_counted(desk: Desk) -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    pages = (
        ("/transfers", {"page": "/transfers", "status": "200"}),
        ("/wallets/nobody:1", {"page": "/wallets/{address:path}", "status": "404"}),
        ("/no/such/page", {"page": "none", "status": "404"}),
    )
    before = [value("console_requests_total", **labels) for _, labels in pages]
    refused = value("console_sign_ins_refused_total", way="local")
    browser = await desk.browser("ann")
    for path, _ in pages:
        await browser.get(path)
    assert [value("console_requests_total", **labels) for _, labels in pages] == [n + 1 for n in before]
    await browser.get("/login/local", params={"key": "x"})
    assert value("console_sign_ins_refused_total", way="local") == refused + 1
    async with desk.console.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO act (preview_id, bundle_id, decision_id, position, person, service, action, object,
                             parameters, why, decided_at)
            VALUES (uuidv7(), uuidv7(), uuidv7(), 0, 'ann', 'payouts', 'release', 'x', '{}', 'why',
                    now() - interval '5 minutes')
            """
        )
    await measure(desk.console.db, datetime.now(UTC), idle=timedelta(minutes=30))
    assert (value("console_sessions"), value("console_decisions_waiting")) == (1, 1)
    assert value("console_oldest_decision_seconds") >= 300


async def test_over_https_the_cookie_is_of_this_host_alone(make_desk: MakeDesk) -> None:
    desk = make_desk(console_url="https://console.example")
    entered = await desk.opened().sign_in("ann")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith("__Host-hobbs_console=")
    assert "Secure" in cookie.split("; ")
    assert "max-age=31536000" in entered.headers["strict-transport-security"]


async def test_a_wrong_link_lets_nobody_in_and_is_kept(desk: Desk, open_db: OpenDatabase) -> None:
    browser = desk.opened()
    assert (await browser.get("/login/local", params={"key": "x"})).status_code == 403
    answer = await browser.post("/login/local", data={"key": "x", "person": "ann"})
    assert answer.status_code == 403
    assert (await browser.get("/transfers", follow_redirects=False)).headers["location"] == (
        "/login?next=%2Ftransfers"
    )
    kept = await refusals(open_db)
    assert {path for _, path, _ in kept} == {"/login/local"}
    assert not any(why == "x" for _, _, why in kept), "the key that was tried is not written down"


@pytest.mark.parametrize(
    "page", ["/transfers?f.state=held&sort=-amount", "/flights/F%2F1", "/students/Zo%C3%AB", "/flights/a%3Fb"]
)
async def test_a_link_from_a_mail_leads_to_its_page_over_the_local_sign_in(desk: Desk, page: str) -> None:
    browser = desk.opened()
    to_sign_in = (await browser.get(page)).headers["location"]
    assert (await browser.get(to_sign_in)).status_code == 200
    assert (await browser.get("/login/local", params={"key": LINK_SECRET})).status_code == 200
    assert (await browser.sign_in("ann")).headers["location"] == page
    assert (await browser.sign_in("ann")).headers["location"] == "/", "once"


@pytest.mark.parametrize("page", ["//evil.example", "https://evil.example/", "/\\evil.example", "/\nx"])
async def test_no_link_leads_to_another_host_over_the_local_sign_in(desk: Desk, page: str) -> None:
    browser = desk.opened()
    await browser.get("/login", params={"next": page})
    assert (await browser.sign_in("ann")).headers["location"] == "/"
    browser.cookies.set("hobbs_wanted", "//evil.example")
    assert (await browser.sign_in("ann")).headers["location"] == "/"


async def test_a_page_that_looks_again_comes_back_to_itself_after_the_sign_in(desk: Desk) -> None:
    asked = {"hx-request": "true", "hx-current-url": "http://127.0.0.1:8090/dead?f.state=open"}
    answer = await desk.opened().get("/dead", headers=asked)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=%2Fdead%3Ff.state%3Dopen"


async def test_guessing_is_slowed_down(desk: Desk) -> None:
    browser = desk.opened()
    for _ in range(TRIES_OF_ONE):
        await browser.get("/login/local", params={"key": "x"})
    told = await browser.get("/login/local", params={"key": LINK_SECRET})
    assert (told.status_code, "wait a minute" in told.text) == (403, True)


async def test_an_office_behind_one_address_signs_in_all_the_same(desk: Desk) -> None:
    for _ in range(TRIES_OF_ONE + 1):
        assert (await desk.opened().sign_in("ann")).status_code == 303


@pytest.mark.parametrize(("trusted", "stopped"), [("", True), ("127.0.0.0/8", False)])
async def test_only_a_trusted_proxy_says_who_asks(make_desk: MakeDesk, trusted: str, stopped: bool) -> None:
    browser = make_desk(console_trusted_proxies=trusted).opened()
    for number in range(TRIES_OF_ONE + 1):
        told = await browser.get(
            "/login/local", params={"key": "x"}, headers={"x-forwarded-for": f"198.51.100.{number}"}
        )
    assert ("wait a minute" in told.text) == stopped


async def test_live_money_ends_the_local_sign_in_and_its_sessions(desk: Desk, database_url: str) -> None:
    browser = await desk.browser("ann")
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "UPDATE payouts.stripe_mode SET key_livemode = true, livemode = true,"
        " api_base = 'x', api_version = 'x',"
        " seen_at = now()"
    )
    await owner.close()
    assert (await browser.get("/transfers", follow_redirects=False)).status_code == 303
    refused = await desk.opened().sign_in("ann")
    assert (refused.status_code, "live key" in refused.text) == (403, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"console_host": "0.0.0.0"}, "this machine only"),
        ({"console_local_secret": "short"}, "at least 16"),
        ({"console_trusted_proxies": "10.1.0.4/16"}, "10.1.0.4/16"),
        ({"console_login": "oidc"}, "HOBBS_CONSOLE_OIDC_ISSUER"),
        (
            {
                "console_login": "oidc",
                "console_url": "http://console.example",
                "console_oidc_issuer": "https://id.example",
                "console_oidc_client_id": "hobbs",
            },
            "HOBBS_CONSOLE_URL begins with https",
        ),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        console_settings("postgresql://nobody@127.0.0.1/nothing", **changed)


async def test_without_the_setting_there_is_no_local_sign_in(make_desk: MakeDesk) -> None:
    desk = make_desk(
        console_login="oidc",
        console_url="https://console.example",
        console_oidc_issuer="https://id.example",
        console_oidc_client_id="hobbs",
    )
    assert (await desk.opened().sign_in("ann")).status_code in (404, 405)


async def test_a_session_ends_with_the_sign_out_and_when_it_is_idle(desk: Desk, database_url: str) -> None:
    first, second = await desk.browser("ann"), await desk.browser("ann")
    cookies = dict(first.cookies)
    await first.post("/logout")
    first.cookies.update(cookies)
    assert (await first.get("/transfers")).status_code == 303, "the cookie alone is worth nothing now"
    assert (await second.get("/transfers")).status_code == 200
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE console.session SET seen_at = now() - interval '31 minutes'")
    await owner.close()
    assert (await second.get("/transfers")).status_code == 303


async def test_a_page_that_looks_again_by_itself_keeps_nobody_signed_in(
    desk: Desk, database_url: str
) -> None:
    ann = await desk.browser("ann")
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE console.session SET seen_at = now() - interval '20 minutes'")
    seen = "SELECT now() - seen_at > interval '1 minute' FROM console.session"
    assert (await ann.get("/", headers={"hx-request": "true"})).status_code == 200
    assert await owner.fetchval(seen)
    await ann.get("/")
    assert not await owner.fetchval(seen)
    await owner.close()


async def test_the_database_holds_no_cookie(desk: Desk, open_db: OpenDatabase) -> None:
    browser = await desk.browser("ann")
    cookie = browser.cookies[cookie_name(desk.console)]
    async with open_db("console").transaction() as tx:
        row = await tx.one("SELECT session::text AS whole FROM session")
    assert cookie not in row.whole


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example", "http://127.0.0.1:1"]
)
async def test_a_form_of_another_site_is_refused(desk: Desk, origin: str) -> None:
    browser = await desk.browser("ann")
    answer = await browser.post("/logout", headers={"origin": origin})
    assert answer.status_code == 403
    assert (await browser.get("/transfers")).status_code == 200, "and the session is untouched"


async def test_a_form_that_says_nothing_of_its_origin_is_refused(desk: Desk) -> None:
    browser = await desk.browser("ann")
    del browser.headers["origin"]
    assert (await browser.post("/logout")).status_code == 403
    assert (await browser.post("/logout", headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await browser.post("/logout", headers={"sec-fetch-site": "same-origin"})).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8091"])
async def test_another_name_for_this_address_is_not_the_console(desk: Desk, host: str) -> None:
    browser = await desk.browser("ann")
    assert (await browser.get("/transfers", headers={"host": host})).status_code == 421


@pytest.mark.parametrize("path", ["/login", "/transfers", "/nothing", "/static/console.css", "/login/local"])
async def test_every_answer_has_the_headers(desk: Desk, path: str) -> None:
    answer = await (await desk.browser("ann")).get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]
    stored = answer.headers["cache-control"]
    assert stored.startswith("public") if path.startswith("/static") else stored == "no-store"


def roles_of(route: APIRoute) -> frozenset[str] | None:
    named = (getattr(one.call, "roles", None) for one in route.dependant.dependencies)
    return next((roles for roles in named if roles), None)


def test_every_route_names_the_roles_it_is_for(desk: Desk) -> None:
    unguarded = {route.path for route in routes(desk.console) if not roles_of(route)}
    assert unguarded <= OPEN


async def test_nobody_opens_a_page_of_others(desk: Desk, open_db: OpenDatabase) -> None:
    """Each page, by somebody whose role is not among its own: refused, and kept."""
    stranger = await desk.browser("otto")
    nobody = desk.opened()
    for route in routes(desk.console):
        roles = roles_of(route)
        if roles is None or "GET" not in (route.methods or ()) or "{" in route.path:
            continue
        assert (await nobody.get(route.path)).status_code == 303, route.path
        if "operations" not in roles:
            assert (await stranger.get(route.path)).status_code == 403, route.path
            assert ("otto", route.path) in {(who, path) for who, path, _ in await refusals(open_db)}


async def test_the_console_s_role_can_read_what_is_published_and_nothing_else(database_url: str) -> None:
    connection = await asyncpg.connect(service_url(database_url, "console"))
    refused: list[str] = []
    for statement in (
        "SELECT * FROM payouts.transfer",
        "SELECT * FROM ledger.entry",
        "SELECT * FROM payouts_public.links",
        "SELECT * FROM payouts_public.student_links",
        "INSERT INTO ledger.journal DEFAULT VALUES",
        "UPDATE payouts.transfer SET state = 'sent'",
        "DELETE FROM billing.bill",
        "UPDATE console.refused_access SET person = 'x'",
        "DELETE FROM console.question",
        "CREATE TABLE console.x ()",
        "SET ROLE hobbs_payouts",
        "SET ROLE hobbs_operator",
        "SELECT ledger.close_period(now(), 'x')",
    ):
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            refused.append(statement)
        else:
            pytest.fail(f"it may: {statement}")
    await connection.execute("SELECT * FROM payouts_public.transfers")
    await connection.execute("SET ROLE hobbs_holder")
    for view in (
        "payouts_public.transfers",
        "billing_public.bills",
        "console.session",
        "console_public.questions",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"TABLE {view}")
    await connection.close()
    assert len(refused) == 13
