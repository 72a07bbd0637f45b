"""`expand[]`: replace an id by its object, along a dotted path, up to four levels deep as Stripe allows.

Sources: docs.stripe.com/expand; the refusals' sentences are quoted in public repositories of 2026: the plain
one, and the one with a hint for a list.
"""

from typing import Any

from hobbs.local.stripe_sim import errors, expandable, lists
from hobbs.local.stripe_sim.world import Doc, World

DEPTH_MAX = 4


def expanded(world: World, doc: Doc, paths: list[str]) -> Doc:
    for path in paths:
        segments = path.split(".")
        if len(segments) - (segments[0] == "data") > DEPTH_MAX:
            raise errors.invalid_param(
                "expand", f"You cannot expand more than {DEPTH_MAX} levels of a property."
            )
        if doc.get("object") != "list":
            _expand(world, doc, segments, path)
        elif segments[0] == "data":
            for item in doc["data"]:
                _expand(world, item, segments[1:], path)
        else:
            raise _refused(path, f" You may want to try expanding 'data.{path}' instead.")
    return doc


def _expand(world: World, node: Any, segments: list[str], path: str, within: Any = None) -> None:
    """Expand along the rest of a path. `within`: the library's class of a hash that is no object itself."""
    if isinstance(node, list):
        for item in node:
            _expand(world, item, segments, path, within)
        return
    if not isinstance(node, dict) or not segments:
        return
    if node.get("object") == "list" and segments[0] == "data":
        _expand(world, node["data"], segments[1:], path)
        return
    name = segments[0]
    owner = expandable.class_of(str(node.get("object"))) or within
    takes = owner is not None and expandable.is_expandable(owner, name)
    inner = expandable.nested_class(owner, name) if owner is not None else None
    if not takes and (inner is None or len(segments) == 1):
        raise _refused(path)
    if name not in node and expandable.is_list(owner, name):
        node[name] = _included(world, node, name)
    elif takes and isinstance(node.get(name), str):
        node[name] = _found(world, node, name)
    _expand(world, node.get(name), segments[1:], path, inner)


def _found(world: World, node: Doc, name: str) -> Doc:
    found = world.store.find(node[name]) or _external_account(world, node, node[name])
    if found is None:
        raise errors.not_simulated(f"expanding {name} of {node.get('object')} {node.get('id')}", "expand")
    return found


def _external_account(world: World, node: Doc, id: str) -> Doc | None:
    """A payout's destination: it is kept inside its account."""
    account = world.store.get("account", world.store.account_of(str(node.get("id"))) or "")
    banks = account["external_accounts"]["data"] if account else []
    return next((bank for bank in banks if bank["id"] == id), None)


def _included(world: World, node: Doc, name: str) -> Doc:
    """A list that an object has only on demand."""
    if (node.get("object"), name) == ("charge", "refunds"):
        charge, account = node["id"], world.store.account_of(node["id"]) or ""
        refunds = list(world.store.newest_with("refund.charge", charge, account))
        return lists.as_list(f"/v1/charges/{charge}/refunds", refunds[:10], len(refunds) > 10)
    raise errors.not_simulated(f"expanding {name} of a {node.get('object')}", "expand")


def _refused(path: str, hint: str = "") -> errors.StripeError:
    return errors.StripeError(400, f"This property cannot be expanded ({path}).{hint}", saved=False)
