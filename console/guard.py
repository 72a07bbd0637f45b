"""Who may see and send what: each route names its roles here, and none is open by accident.

Who is not signed in goes to the sign-in; who may not is refused, and that is kept. What is sent must come
from a form of ours: the browser says from where (Origin), and the form has the session's own token.
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from console import store
from console.context import Console, Visit
from console.store.sessions import Session

FORM_BYTES_MAX: Final = 200_000
FIELDS_MAX: Final = 1_500
COOKIE_CHARS_MAX: Final = 100


class NotSignedIn(Exception):
    """Nobody, or somebody whose session ended."""


class Refused(Exception):
    """Somebody who may not. The sentence is for them; it is kept with the path."""

    def __init__(self, why: str, *, person: str | None) -> None:
        super().__init__(why)
        self.why = why
        self.person = person


class Missing(Exception):
    """There is no such thing, or none that this person may know of: the two look alike."""


class Form(dict[str, str]):
    """What a form sent: the last value of each field, and all of them in `every`."""

    every: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.every if field == name]


def console_of(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


def cookie_name(console: Console) -> str:
    """Over https a name that the browser accepts from this very host only, with Secure and without Domain."""
    return "__Host-hobbs_console" if console.settings.is_secure else "hobbs_console"


async def session_of(request: Request) -> Session | None:
    """The living session of a request's cookie."""
    console = console_of(request)
    cookie = request.cookies.get(cookie_name(console), "")
    if not 0 < len(cookie) <= COOKIE_CHARS_MAX:
        return None
    idle = timedelta(minutes=console.settings.console_idle_minutes)
    # A page that looks again by itself is nobody at the desk: only htmx asks for those.
    by_itself = request.method == "GET" and request.headers.get("hx-request") is not None
    async with console.db.autocommit() as tx:
        return await store.sessions.use(tx, cookie, idle=idle, touch=not by_itself)


def visit_for(roles: frozenset[str]) -> Callable[[Request], Awaitable[Visit]]:
    """The dependency of a route that only these roles may use."""

    async def visit(request: Request) -> Visit:
        session = await session_of(request)
        if session is None:
            raise NotSignedIn
        if not session.person.has(roles):
            wanted = " or ".join(sorted(roles))
            raise Refused(f"this page is for {wanted}", person=session.person.name)
        console = console_of(request)
        return Visit(request=request, console=console, session=session, school=await console.school())

    visit.roles = roles  # type: ignore[attr-defined]  # a test asks every route
    return visit


def require_own_origin(request: Request, *, person: str | None) -> None:
    """What is sent comes from a page of ours. Raises Refused."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is not None:
        if origin == console_of(request).settings.origin:
            return
    elif site == "same-origin":
        return
    raise Refused("this form was not sent from the console's own page", person=person)


async def read_form(request: Request) -> Form:
    """The fields of a form as browsers send it. Raises Refused for what no form of ours sends."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > FORM_BYTES_MAX:
        raise Refused("this form is larger than any of ours", person=None)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused("this is not how a form of ours is sent", person=None)
    body = await request.body()
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise Refused("this form cannot be read", person=None) from None
    fields = [(name, value.replace("\x00", "")) for name, value in fields]
    form = Form(fields)
    form.every = fields
    return form


async def form_of(visit: Visit) -> Form:
    """The fields of a form that this session's own page sent. Raises Refused."""
    require_own_origin(visit.request, person=visit.person.name)
    form = await read_form(visit.request)
    if not hmac.compare_digest(form.get("form_token", "").encode(), visit.session.form_token.encode()):
        raise Refused("this form is of another session: open the page again", person=visit.person.name)
    return form


class Pages:
    """A router whose every route names the roles it is for."""

    def __init__(self) -> None:
        self.router = APIRouter()

    @property
    def routes(self) -> list[APIRoute]:
        return [route for route in self.router.routes if isinstance(route, APIRoute)]

    def get(self, path: str, roles: frozenset[str]) -> Callable[[Any], Any]:
        return self._route(path, roles, "GET")

    def post(self, path: str, roles: frozenset[str]) -> Callable[[Any], Any]:
        return self._route(path, roles, "POST")

    def _route(self, path: str, roles: frozenset[str], method: str) -> Callable[[Any], Any]:
        allowed = visit_for(roles)

        def add(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            visit_type = Annotated[Visit, Depends(allowed)]
            handler.__annotations__["visit"] = visit_type
            self.router.add_api_route(
                path, handler, methods=[method], response_model=None, include_in_schema=False
            )
            return handler

        return add
