"""Stripe's lists: newest first, cursors, `created` ranges, equality filters."""

from collections.abc import Callable, Iterator

from hobbs.local.stripe_sim import errors, forms
from hobbs.local.stripe_sim.store import INDEXED
from hobbs.local.stripe_sim.world import Call, Doc, World

PAGING = frozenset({"limit", "starting_after", "ending_before", "expand"})
COMPARISONS = {"gt", "gte", "lt", "lte"}
# Quoted in github.com/stripe/stripe-dotnet/issues/1848 and stripe-python/issues/585.
BOTH_CURSORS = "Received both starting_after and ending_before parameters. Please pass in only one."


def listing(
    world: World,
    call: Call,
    kind: str,
    *,
    extra: tuple[str, str] | None = None,
    keep: Callable[[Doc], bool] = lambda _: True,
) -> Doc:
    """One page of `kind` in the call's account.

    `extra`: an indexed attribute that the path or a rule implies; `keep`: a filter beyond equality.
    """
    limit = forms.integer(call.params, "limit", 10, minimum=1) or 10
    if limit > 100:
        raise errors.invalid_param("limit", "This value must be less than or equal to 100.")
    wanted = {name: value for name, value in call.params.items() if name not in PAGING and value != ""}
    backwards = forms.text(call.params, "ending_before")
    if backwards and forms.text(call.params, "starting_after"):
        raise errors.StripeError(400, BOTH_CURSORS, saved=False)
    docs = _candidates(world, call, kind, wanted, extra, backwards)
    page: list[Doc] = []
    has_more = False
    for doc in docs:
        if not (_matches(doc, wanted) and keep(doc)):
            continue
        if len(page) == limit:
            has_more = True
            break
        page.append(doc)
    if backwards:
        page.reverse()
    return as_list(call.path, page, has_more)


def as_list(url: str, data: list[Doc], has_more: bool = False) -> Doc:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _candidates(
    world: World, call: Call, kind: str, wanted: Doc, extra: tuple[str, str] | None, backwards: str | None
) -> Iterator[Doc]:
    """The stored objects to search, through an index when one applies, in the requested direction."""
    store, account = world.store, call.account
    driver = extra or next(
        ((f"{kind}.{name}", str(wanted[name])) for name in INDEXED.get(kind, ()) if name in wanted), None
    )
    if backwards:
        after = _cursor(world, call, kind, backwards, "ending_before")
        if driver:
            return store.oldest_with(*driver, account, after=after)
        return store.oldest(kind, account, after=after)
    cursor = forms.text(call.params, "starting_after")
    before = _cursor(world, call, kind, cursor, "starting_after") if cursor else None
    if driver:
        return store.newest_with(*driver, account, before=before)
    return store.newest(kind, account, before=before)


def _cursor(world: World, call: Call, kind: str, id: str, param: str) -> int:
    """Where in the list an object stands. One of another type or account is no object of this list."""
    position = world.store.position(id, kind, call.account)
    if position is None:
        raise errors.no_such(kind, id, param, status=400)
    return position


def _matches(doc: Doc, wanted: Doc) -> bool:
    return all(_satisfies(doc.get(name), value, name) for name, value in wanted.items())


def _satisfies(actual: object, wanted: object, name: str) -> bool:
    if not isinstance(wanted, dict):
        return str(actual).lower() == str(wanted).lower()
    if set(wanted) - COMPARISONS or not isinstance(actual, int):
        raise errors.invalid_param(name, f"Invalid {name}: use gt, gte, lt or lte")
    bounds = {op: forms.integer(wanted, op) or 0 for op in wanted}
    return (
        actual > bounds.get("gt", actual - 1)
        and actual >= bounds.get("gte", actual)
        and actual < bounds.get("lt", actual + 1)
        and actual <= bounds.get("lte", actual)
    )
