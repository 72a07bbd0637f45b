"""Signing out, and the page that says how to sign in."""

from typing import Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console import store
from console.guard import console_of, cookie_name, require_own_origin, session_of
from console.signin.cookies import drop_cookie, set_cookie

WANTED: Final = "hobbs_wanted"
WANTED_FOR_S: Final = 600


def leaving_routes() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def login(request: Request, next: str = "/") -> Response:
        console, wanted = console_of(request), own_page(next)
        text = console.templates.get_template("login.html").render(
            kind=console.settings.console_login, next_page=wanted, school=await console.school()
        )
        response = HTMLResponse(text)
        if console.settings.console_login == "local":  # its link is opened from elsewhere, and says no page
            set_cookie(console, response, WANTED, quote(wanted, safe="/"), max_age_s=WANTED_FOR_S)
        return response

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        console = console_of(request)
        session = await session_of(request)
        require_own_origin(request, person=session.person.name if session else None)
        async with console.db.transaction() as tx:
            await store.sessions.end(tx, request.cookies.get(cookie_name(console), ""))
        response = RedirectResponse("/login", status_code=303)
        drop_cookie(console, response, cookie_name(console))
        return response

    return router


def wanted_page(request: Request) -> str:
    """The page that this browser was sent to the sign-in from, minutes ago."""
    return own_page(unquote(request.cookies.get(WANTED, "/")))


def own_page(path: str) -> str:
    """A page of ours to go to after signing in; anything else, and what a browser reads as a host, is `/`."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and "\\" not in path and len(path) <= 1_000 else "/"
