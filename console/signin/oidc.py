"""The sign-in of a real school: OpenID Connect, code flow.

What a sign-in must come back with is a row and a cookie of its own, named after the sign-in: two tabs may
sign in at once, and no page that polls meanwhile touches it. Each answer is taken once.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from console import store
from console.addresses import address_of
from console.context import Console
from console.guard import Refused, console_of, read_form
from console.rate import Tries
from console.roles import Person, known_roles
from console.signin.cookies import begin_session, drop_cookie, set_cookie
from console.signin.leaving import own_page
from console.signin.provider import Claims, NotBelieved, Provider
from console.store.sessions import SignIn

LASTS: Final = timedelta(minutes=10)
NAME_CHARS_MAX: Final = 100
TRIES_OF_A_SIGN_IN: Final = 2  # to the provider and back


def oidc_routes(provider: Provider) -> APIRouter:
    """To the provider, back from it, and the provider's own word that somebody signed out."""
    router, tries = APIRouter(include_in_schema=False), Tries()

    @router.get("/login/begin")
    async def begin(request: Request, next: str = "/") -> Response:
        console = console_of(request)
        tries.require(_caller(request))
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        try:
            url = await provider.sign_in_url(state=state, nonce=nonce, verifier=verifier)
        except NotBelieved as error:
            raise Refused(str(error), person=None) from None
        async with console.db.transaction() as tx:
            begun = SignIn(nonce=nonce, verifier=verifier, next_page=own_page(next))
            await store.sessions.remember_sign_in(tx, state, begun)
        response = RedirectResponse(url, status_code=303)
        max_age_s = int(LASTS.total_seconds())
        set_cookie(console, response, _cookie(console, state), state, max_age_s=max_age_s)
        return response

    @router.get("/login/answer")
    async def answer(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        console = console_of(request)
        tries.require(_caller(request))
        name = _cookie(console, state)
        if not state or not secrets.compare_digest(request.cookies.get(name, "").encode(), state.encode()):
            raise Refused("this browser did not begin this sign-in: sign in again", person=None)
        async with console.db.transaction() as tx:
            begun = await store.sessions.take_sign_in(tx, state, lasts=LASTS)
        if begun is None:
            raise Refused("this sign-in was answered already, or took too long: sign in again", person=None)
        if error or not code:
            raise Refused("the provider did not sign you in", person=None)
        try:
            claims = await provider.claims_of(code, verifier=begun.verifier, nonce=begun.nonce)
        except NotBelieved as doubt:
            raise Refused(str(doubt), person=None) from None
        response = RedirectResponse(begun.next_page, status_code=303)
        session, subject = claims.get("sid"), claims.get("sub")
        await begin_session(
            console,
            response,
            _person(console, claims),
            came_by="oidc",
            provider_session=session if isinstance(session, str) else None,
            subject=subject if isinstance(subject, str) else None,
        )
        drop_cookie(console, response, name)
        tries.succeeded(_caller(request), tries=TRIES_OF_A_SIGN_IN)
        return response

    @router.post("/login/ended")
    async def ended(request: Request) -> Response:
        """The provider's back channel: it has no cookie and no origin, only its signature."""
        tries.require(_caller(request))
        form = await read_form(request)
        try:
            session, subject = await provider.ended_by(form.get("logout_token", ""))
        except NotBelieved as doubt:
            raise Refused(str(doubt), person=None) from None
        async with console_of(request).db.transaction() as tx:
            await store.sessions.end_of_provider(tx, session=session, subject=subject)
        tries.succeeded(_caller(request))
        return Response(status_code=200)

    return router


def _caller(request: Request) -> str:
    return address_of(request, console_of(request).settings.trusted_proxies)


def _cookie(console: Console, state: str) -> str:
    prefix = "__Host-" if console.settings.is_secure else ""
    return f"{prefix}hobbs_sign_in_{sha256(state.encode()).hexdigest()[:12]}"


def _person(console: Console, claims: Claims) -> Person:
    """Whom the claims name. Raises Refused for somebody without a name or without a role here."""
    settings = console.settings
    name = claims.get(settings.console_oidc_name_claim)
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise Refused(f"your account has no name (claim {settings.console_oidc_name_claim})", person=None)
    roles, wallet = known_roles(
        claims.get(settings.console_oidc_roles_claim), claims.get(settings.console_oidc_wallet_claim)
    )
    if not roles:
        raise Refused("your account has no role in this school: ask the office", person=name)
    shown = claims.get("name")
    return Person(
        name=name,
        shown_name=shown[:NAME_CHARS_MAX] if isinstance(shown, str) and shown else name,
        roles=roles,
        wallet=wallet,
    )
