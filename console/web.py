"""The web application: its routes, its templates, and a page for every failure."""

import logging
from datetime import datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from console import cards, cells, metrics, pressed, shown, store, wording
from console.catalogue import allowed
from console.context import Console
from console.edge import Edge
from console.guard import Missing, NotSignedIn, Refused, console_of
from console.menu import here, menu
from console.pages import (
    accounts,
    acts,
    audit,
    books,
    corrections,
    dunning,
    find,
    flights,
    forecast,
    given,
    letters,
    margins,
    overview,
    own,
    own_card,
    payees,
    payments,
    rate_changes,
    readers,
    reconciliation,
    reserve,
    settings,
    statements,
    students,
    transfers,
)
from console.reads.tables import filter_names
from console.signin.leaving import leaving_routes
from console.signin.local import local_routes
from console.signin.oidc import oidc_routes
from console.signin.provider import Provider
from console.times import shown_instant, shown_moment, span, waited
from fleet.metrics import start_at_zero
from fleet.money import minor_digits

HERE: Final = Path(__file__).parent
MODULES: Final = (
    overview,
    find,
    transfers,
    payees,
    corrections,
    flights,
    given,
    margins,
    rate_changes,
    books,
    payments,
    accounts,
    students,
    dunning,
    forecast,
    reserve,
    reconciliation,
    letters,
    readers,
    statements,
    own,
    own_card,
    audit,
    settings,
    acts,
)

SIGN_IN: Final = (*("/login", "/logout", "/login/local", "/login/begin"), *("/login/answer", "/login/ended"))
PAGES: Final = (*sorted({one.path for module in MODULES for one in module.pages.routes}), *SIGN_IN)

_log = logging.getLogger("console.web")

start_at_zero(metrics.REQUESTS, (*PAGES, metrics.NO_PAGE), metrics.STATUSES)
start_at_zero(metrics.REQUEST_SECONDS, (*PAGES, metrics.NO_PAGE))


def build_web(console: Console) -> ASGIApp:
    """The console as an ASGI application."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(require_storable_address)],
    )
    app.state.console = console
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    for module in MODULES:
        app.include_router(module.pages.router)
    app.include_router(leaving_routes())
    if console.settings.console_login == "local":
        app.include_router(local_routes())
    else:
        app.include_router(oidc_routes(Provider(console.settings)))
    app.add_exception_handler(NotSignedIn, _sign_in_first)
    app.add_exception_handler(Refused, _answer_refused)
    app.add_exception_handler(Missing, _answer_missing)
    app.add_exception_handler(RequestValidationError, _answer_missing)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_bug)
    return Edge(app, origin=console.settings.origin)


@cache
def templates() -> Environment:
    """The templates: everything is escaped, and a name that is not there is an error.

    One environment for a process: it keeps each template that it compiled.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": wording.money,
        "words": wording.words,
        "hours": wording.hours,
        "sentence": lambda text: pressed.linked(wording.sentence(text)),
        "pressed": pressed.linked,
        "source_words": wording.source_words,
        "instant": shown_instant,
        "moment": shown_moment,
        "instant_of": wording.instant_of,
        "part": lambda value: quote(str(value), safe=""),
    }
    environment.tests["instant_like"] = lambda value: isinstance(value, datetime)
    environment.tests["an_id"] = wording.is_uuid
    environment.globals |= {
        "span": span,
        "waited": waited,
        "filter_names": filter_names,
        "menu": menu,
        "here": here,
        "digits": minor_digits,
        "cells": cells,
        "filled": shown.filled,
        "alike": shown.alike,
        "card_says": cards.says,
        "card_setting": cards.setting,
        "card_title": cards.title_of,
        "card_hides": cards.HIDDEN,
        "acts_for": allowed,
    }
    environment.globals["parts"] = environment.get_template("parts.html").module
    return environment


async def require_storable_address(request: Request) -> None:
    """Nothing is called by a name with NUL in it: no text of the database can hold one. Raises Missing."""
    if any("\x00" in part for part in (request.scope["path"], *chain(*request.query_params.multi_items()))):
        raise Missing


async def _sign_in_first(request: Request, _: Exception) -> Response:
    """To the sign-in and back. A fragment that htmx asked for cannot go there: the whole page has to."""
    path = request.scope.get("raw_path", b"").decode("ascii", "replace") or request.url.path
    wanted = path + (f"?{request.url.query}" if request.url.query else "")
    address = f"/login?next={quote(wanted if request.method == 'GET' else '/', safe='')}"
    if request.headers.get("hx-request"):
        page = urlsplit(request.headers.get("hx-current-url", ""))
        wanted = (page.path or "/") + (f"?{page.query}" if page.query else "")
        return Response(status_code=401, headers={"hx-redirect": f"/login?next={quote(wanted, safe='')}"})
    return RedirectResponse(address, status_code=303)


async def _answer_refused(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, Refused)  # registered for that class only
    console = console_of(request)
    if request.url.path.startswith("/login"):
        metrics.SIGN_INS_REFUSED.labels(console.settings.console_login).inc()
    async with console.db.transaction() as tx:
        await store.refusals.note(
            tx, person=raised.person, method=request.method, path=request.url.path, why=raised.why
        )
    return _plain_page(console, 403, "Not for you", f"{raised.why[:1].upper()}{raised.why[1:]}.")


async def _answer_missing(request: Request, _: Exception) -> Response:
    return _plain_page(console_of(request), 404, "Nothing here", "There is no such page, or not for you.")


async def _answer_http(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, HTTPException)  # registered for that class only
    if raised.status_code == 404:
        return await _answer_missing(request, raised)
    return _plain_page(console_of(request), raised.status_code, "Not possible", "This cannot be asked so.")


async def _answer_bug(request: Request, raised: Exception) -> Response:
    _log.error("request failed", exc_info=raised, extra={"path": request.url.path})
    said = "Something broke, or does not answer. Nothing was changed by it; the console's log says more."
    return _plain_page(console_of(request), 500, "This did not work", said)


def _plain_page(console: Console, status: int, title: str, sentence: str) -> Response:
    text = console.templates.get_template("plain.html").render(title=title, sentence=sentence)
    return HTMLResponse(text, status_code=status)
