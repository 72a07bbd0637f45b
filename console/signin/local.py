"""The local sign-in of `make up` and `make demo`: whoever has the printed link chooses who to be.

It is not there unless the settings ask for it, and it lets nobody in once payouts has seen live money.
"""

import hmac
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from console import store
from console.addresses import address_of
from console.context import Console
from console.guard import Refused, console_of, read_form, require_own_origin
from console.rate import Tries
from console.reads import people
from console.roles import ADMIN, APPROVER, OPERATIONS, PREPARER, VIEWER, WALLET_KINDS, Person
from console.signin.cookies import begin_session, drop_cookie
from console.signin.leaving import WANTED, wanted_page

# Of the school's office; holders come from its book.
OFFICE: Final = (
    Person(name="vera", shown_name="Vera, who looks only", roles=frozenset({VIEWER})),
    Person(name="paula", shown_name="Paula, who prepares", roles=frozenset({PREPARER})),
    Person(name="ann", shown_name="Ann, who approves", roles=frozenset({APPROVER})),
    Person(name="bea", shown_name="Bea, who approves too", roles=frozenset({APPROVER})),
    Person(name="ada", shown_name="Ada, who may do all of it", roles=frozenset({ADMIN, OPERATIONS})),
    Person(name="otto", shown_name="Otto, operations", roles=frozenset({OPERATIONS})),
)
REAL_MONEY: Final = "the local sign-in is for test money only, and payouts has a live key of Stripe's"


def local_routes() -> APIRouter:
    """The two routes of the local sign-in."""
    router, tries = APIRouter(include_in_schema=False), Tries()

    @router.get("/login/local")
    async def choose(request: Request, key: str = "") -> Response:
        console = console_of(request)
        await _require_key(console, tries, request, key)
        text = console.templates.get_template("login_local.html").render(
            key=key, office=OFFICE, holders=await _holders(console), school=await console.school()
        )
        return Response(text, media_type="text/html")

    @router.post("/login/local")
    async def enter(request: Request) -> Response:
        console = console_of(request)
        require_own_origin(request, person=None)
        form = await read_form(request)
        await _require_key(console, tries, request, form.get("key", ""))
        everybody = [*OFFICE, *(person for person, _ in await _holders(console))]
        chosen = next((one for one in everybody if one.name == form.get("person")), None)
        if chosen is None:
            raise Refused("nobody of that name can sign in here", person=None)
        response = RedirectResponse(wanted_page(request), status_code=303)
        await begin_session(console, response, chosen, came_by="local")
        if WANTED in request.cookies:
            drop_cookie(console, response, WANTED)
        return response

    return router


async def _require_key(console: Console, tries: Tries, request: Request, key: str) -> None:
    """The link's own secret, and no live money. Raises Refused."""
    address = address_of(request, console.settings.trusted_proxies)
    tries.require(address)
    wanted = console.settings.console_local_secret.get_secret_value()
    if not hmac.compare_digest(key.encode(), wanted.encode()):
        raise Refused("this is not the link that `make up` printed", person=None)
    tries.succeeded(address)
    async with console.db.transaction() as tx:
        if await store.sessions.money_is_real(tx):
            raise Refused(REAL_MONEY, person=None)


async def _holders(console: Console) -> list[tuple[Person, str]]:
    """Each holder of the book as a person, with the kind of their wallet."""
    roles = {kind: role for role, kind in WALLET_KINDS.items()} | {"owner": "owner"}
    async with console.db.transaction() as tx:
        found = await people.holders(tx)
    return [
        (
            Person(
                name=row["key"],
                shown_name=row["name"] or row["key"],
                roles=frozenset({roles[row["kind"]]}),
                wallet=f"{WALLET_KINDS[roles[row['kind']]]}:{row['key']}",
            ),
            roles[row["kind"]],
        )
        for row in found
    ]
