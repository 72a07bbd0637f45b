"""Sign-in by OpenID Connect against a provider over HTTP: who is believed, and who is not."""

import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from console.rate import TRIES_OF_ONE
from console.signin import provider as signin_provider
from tests.integration.console.conftest import Browser, Desk, MakeDesk
from tests.integration.console.provider import (
    CLIENT,
    SECRET,
    IdentityProvider,
    new_key,
    running_provider,
)

ORIGIN = "https://console.example"
ANN = {"sub": "u-1", "sid": "s-1", "preferred_username": "ann", "hobbs_roles": ["approver"]}


@dataclass(slots=True, kw_only=True)
class School:
    """A console behind a provider."""

    desk: Desk
    provider: IdentityProvider

    async def begin(self, browser: Browser, page: str = "/transfers") -> str:
        """Go to the provider and back as far as its answer, which is not opened yet."""
        return await self.through(browser, f"/login/begin?next={quote(page, safe='')}")

    async def through(self, browser: Browser, begin: str) -> str:
        """The same from a link of the sign-in page."""
        sent = await browser.get(begin)
        async with httpx.AsyncClient() as elsewhere:
            back = await elsewhere.get(sent.headers["location"])
        assert back.headers["location"].startswith(f"{ORIGIN}/login/answer")
        return back.headers["location"].removeprefix(ORIGIN)

    async def sign_in(self, browser: Browser, page: str = "/transfers") -> httpx.Response:
        return await browser.get(await self.begin(browser, page))


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[IdentityProvider]:
    async with running_provider(f"{ORIGIN}/login/answer") as running:
        yield running


@pytest.fixture
def school(make_desk: MakeDesk, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> School:
    monkeypatch.setattr(signin_provider, "KEYS_AGAIN_AFTER_S", 0.0)
    provider.claims, provider.bend, provider.signs_with = dict(ANN), lambda claims: None, None
    desk = make_desk(
        console_login="oidc",
        console_url=ORIGIN,
        console_oidc_issuer=provider.issuer,
        console_oidc_client_id=CLIENT,
        console_oidc_client_secret=SecretStr(SECRET),
    )
    return School(desk=desk, provider=provider)


async def test_a_person_signs_in_and_comes_back_to_the_page_that_was_asked_for(school: School) -> None:
    browser = school.desk.opened()
    turned_away = await browser.get("/transfers?f.state=held")
    assert turned_away.headers["location"] == "/login?next=%2Ftransfers%3Ff.state%3Dheld"
    answer = await school.sign_in(browser, "/transfers?f.state=held")
    assert (answer.status_code, answer.headers["location"]) == (303, "/transfers?f.state=held")
    page = await browser.get("/transfers")
    assert page.status_code == 200
    assert "<b>ann</b>: approver" in page.text


async def test_roles_and_wallet_are_read_from_the_claims_that_are_configured(
    make_desk: MakeDesk, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(
        console_login="oidc",
        console_url=ORIGIN,
        console_oidc_issuer=provider.issuer,
        console_oidc_client_id=CLIENT,
        console_oidc_client_secret=SecretStr(SECRET),
        console_oidc_name_claim="email",
        console_oidc_roles_claim="groups",
        console_oidc_wallet_claim="payee",
    )
    school = School(desk=desk, provider=provider)
    provider.bend = lambda claims: None
    provider.claims = {**ANN, "email": "robin@school.example", "groups": "instructor other"} | {
        "payee": "instructor:instructor-01", "hobbs_wallet": "instructor:instructor-03"
    }  # fmt: skip
    browser = desk.opened()
    assert (await school.sign_in(browser, "/own")).headers["location"] == "/own"
    page = (await browser.get("/own")).text
    assert "<b>robin@school.example</b>: instructor." in page
    assert "instructor:instructor-01" in page
    assert (await browser.get("/transfers")).status_code == 403, "approver is of the claim of another school"


async def test_every_refused_sign_in_is_in_the_audit(school: School) -> None:
    browser = school.desk.opened()
    school.provider.bend = lambda c: c.update(aud="another")
    assert (await school.sign_in(browser)).status_code == 403
    school.provider.bend = lambda c: c.update(hobbs_roles=["root"])
    assert (await school.sign_in(browser)).status_code == 403
    assert (await browser.get("/login/answer", params={"state": "x", "code": "y"})).status_code == 403
    async with school.desk.console.db.transaction() as tx:
        rows = await tx.all("SELECT person, path, why FROM refused_access ORDER BY at")
    assert {row.path for row in rows} == {"/login/answer"}
    assert [row.person for row in rows] == [None, "ann", None]
    assert not any("code" in row.why for row in rows), "what came with it is not written down"


async def test_guessing_at_the_provider_is_slowed_down(school: School) -> None:
    browser = school.desk.opened()
    for _ in range(TRIES_OF_ONE):
        await browser.get("/login/answer", params={"state": "x", "code": "y"})
    told = await browser.get("/login/begin")
    assert (told.status_code, "wait a minute" in told.text) == (403, True)


async def test_an_answer_is_taken_once(school: School) -> None:
    browser = school.desk.opened()
    back = await school.begin(browser)
    cookies = dict(browser.cookies)
    assert (await browser.get(back)).status_code == 303
    browser.cookies.update(cookies)
    again = await browser.get(back)
    assert (again.status_code, "answered already" in again.text) == (403, True)


async def test_a_code_that_was_used_is_refused_by_the_provider_and_then_by_us(school: School) -> None:
    browser = school.desk.opened()
    used = parse_qs(urlsplit(await school.begin(browser)).query)
    school.provider.codes.clear()
    refused = await browser.get("/login/answer", params={"code": used["code"][0], "state": used["state"][0]})
    assert (refused.status_code, "gave no token" in refused.text) == (403, True)


async def test_an_answer_to_a_sign_in_of_another_browser_is_refused(school: School) -> None:
    back = await school.begin(school.desk.opened())
    refused = await school.desk.opened().get(back)
    assert (refused.status_code, "did not begin this sign-in" in refused.text) == (403, True)


async def test_a_link_from_a_mail_leads_to_its_page_over_the_provider(school: School) -> None:
    browser, page = school.desk.opened(), "/flights/a%3Fb?month=2026-05"
    login = (await browser.get((await browser.get(page)).headers["location"])).text
    begin = re.search(r'href="(/login/begin[^"]*)"', login)
    assert begin is not None
    back = await school.through(browser, begin[1].replace("&amp;", "&"))
    assert (await browser.get(back)).headers["location"] == page


async def test_two_tabs_may_sign_in_at_once(school: School) -> None:
    browser = school.desk.opened()
    first, second = await school.begin(browser, "/transfers"), await school.begin(browser, "/dead")
    assert (await browser.get(second)).headers["location"] == "/dead"
    assert (await browser.get(first)).headers["location"] == "/transfers"


@pytest.mark.parametrize(
    ("bend", "why"),
    [
        (lambda c: c.update(aud="another"), "for somebody else"),
        (lambda c: c.update(aud=["another"], azp=CLIENT), "for somebody else"),
        (lambda c: c.update(aud=[CLIENT, "another"], azp="another"), "given to somebody else"),
        (lambda c: c.update(iss="https://evil.example"), "another issuer"),
        (lambda c: c.update(exp=int(time.time()) - 120), "expired"),
        (lambda c: c.pop("exp"), "expired"),
        (lambda c: c.update(exp=True), "expired"),
        (lambda c: c.update(iat=int(time.time()) + 600), "of the future"),
        (lambda c: c.update(nbf=int(time.time()) + 600), "not valid yet"),
        (lambda c: c.update(nonce="another"), "another sign-in"),
        (lambda c: c.pop("nonce"), "another sign-in"),
        (lambda c: [c.pop("sub"), c.pop("sid")], "names nobody"),
        (lambda c: c.pop("preferred_username"), "has no name"),
        (lambda c: c.update(preferred_username="a\nb"), "has no name"),
        (lambda c: c.update(hobbs_roles=["root"]), "has no role"),
        (lambda c: c.update(hobbs_roles=["student"]), "has no role"),
    ],
)
async def test_a_token_that_is_not_right_lets_nobody_in(
    school: School, bend: Callable[[dict[str, Any]], None], why: str
) -> None:
    school.provider.bend = bend
    browser = school.desk.opened()
    refused = await school.sign_in(browser)
    assert (refused.status_code, why in refused.text) == (403, True), refused.text
    assert (await browser.get("/transfers")).status_code == 303


async def test_a_small_difference_of_clocks_is_none(school: School) -> None:
    school.provider.bend = lambda c: c.update(iat=int(time.time()) + 30, exp=int(time.time()) - 30)
    assert (await school.sign_in(school.desk.opened())).status_code == 303


async def test_a_key_that_the_provider_does_not_publish_is_not_believed(school: School) -> None:
    school.provider.signs_with = new_key()
    refused = await school.sign_in(school.desk.opened())
    assert (refused.status_code, "not signed by a key" in refused.text) == (403, True)


async def test_a_token_without_a_signature_is_not_believed(school: School) -> None:
    plain = school.provider.token(nonce="n", **ANN).split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{plain[1]}."
    answer = await school.desk.opened().post("/login/ended", data={"logout_token": unsigned})
    assert answer.status_code == 403


async def test_keys_that_are_rotated_are_fetched_anew(school: School) -> None:
    assert (await school.sign_in(school.desk.opened())).status_code == 303
    school.provider.rotate()
    assert (await school.sign_in(school.desk.opened())).status_code == 303


async def test_a_sign_out_at_the_provider_ends_the_session_here(school: School) -> None:
    browser, other = school.desk.opened(), school.desk.opened()
    await school.sign_in(browser)
    school.provider.claims = ANN | {"sid": "s-2"}
    await school.sign_in(other)
    events: dict[str, dict[str, str]] = {signin_provider.LOGOUT_EVENT: {}}
    no_event = school.provider.token(sub="u-1", sid="s-1", jti="j")
    assert (await browser.post("/login/ended", data={"logout_token": no_event})).status_code == 403
    token = school.provider.token(sub="u-1", sid="s-1", jti="j", events=events)
    assert (await browser.post("/login/ended", data={"logout_token": token})).status_code == 200
    assert (await browser.get("/transfers")).status_code == 303
    assert (await other.get("/transfers")).status_code == 200, "another session of the same person goes on"
    everywhere = school.provider.token(sub="u-1", jti="k", events=events)
    assert (await browser.post("/login/ended", data={"logout_token": everywhere})).status_code == 200
    assert (await other.get("/transfers")).status_code == 303


async def test_a_provider_that_is_away_is_said(school: School) -> None:
    desk = school.desk
    school.provider.issuer, was = "http://127.0.0.1:1", school.provider.issuer
    try:
        refused = await desk.opened().get("/login/begin")
    finally:
        school.provider.issuer = was
    assert (refused.status_code, "another name" in refused.text) == (403, True)
