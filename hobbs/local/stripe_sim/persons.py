"""Persons of a connected account: who represents, owns or runs the business.

Source: docs.stripe.com/api/persons. Verification is one step: a person given with a name and a birthday is
verified.
"""

from hobbs.local.stripe_sim import accounts, errors, forms, lists
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
TEXTS = ("email", "first_name", "last_name", "maiden_name", "nationality", "phone")
ROLES = ("authorizer", "director", "executive", "legal_guardian", "owner", "representative")
NEEDED = ("first_name", "last_name", "dob.day", "dob.month", "dob.year")


def create(world: World, call: Call) -> Doc:
    accounts.required(world, call.ids["id"])
    doc: Doc = {
        "id": new_id("person"),
        "object": "person",
        "account": call.ids["id"],
        "additional_tos_acceptances": {"account": None},
        "address": dict.fromkeys(ADDRESS),
        "created": world.now,
        "dob": dict.fromkeys(("day", "month", "year")),
        "future_requirements": _requirements([]),
        "id_number_provided": False,
        "metadata": {},
        "political_exposure": "none",
        "relationship": {**dict.fromkeys(ROLES, False), "percent_ownership": None, "title": None},
        "requirements": _requirements([]),
        "ssn_last_4_provided": False,
        **dict.fromkeys(TEXTS),
    }
    _take(doc, call.params)
    world.store.insert(doc, call.ids["id"])
    emit(world, "person.created", doc, account=call.ids["id"])
    return doc


def _requirements(due: list[str]) -> Doc:
    nothing = ("errors", "eventually_due", "past_due", "pending_verification")
    return {"alternatives": [], "currently_due": due, **{name: list[str]() for name in nothing}}


def _take(doc: Doc, params: Doc) -> None:
    doc["metadata"] = forms.metadata(params, doc["metadata"])
    doc |= {name: forms.text(params, name) for name in TEXTS if name in params}
    doc["address"] |= {k: v or None for k, v in forms.nested(params, "address").items() if k in ADDRESS}
    birthday = forms.nested(params, "dob")
    doc["dob"] |= {
        name: forms.integer(birthday, name) for name in ("day", "month", "year") if name in birthday
    }
    relation = forms.nested(params, "relationship")
    doc["relationship"] |= {name: forms.boolean(relation, name) for name in ROLES if name in relation}
    if "title" in relation:
        doc["relationship"]["title"] = forms.text(relation, "title")
    if "percent_ownership" in relation:
        doc["relationship"]["percent_ownership"] = float(relation["percent_ownership"])
    doc["id_number_provided"] |= bool(params.get("id_number"))
    doc["ssn_last_4_provided"] |= bool(params.get("ssn_last_4") or params.get("id_number"))
    missing = [name for name in NEEDED if not _given(doc, name)]
    doc["requirements"] = _requirements(missing)
    nothing = {"back": None, "details": None, "details_code": None, "front": None}
    doc["verification"] = {
        "additional_document": dict(nothing),
        "details": None,
        "details_code": None,
        "document": dict(nothing),
        "status": "unverified" if missing else "verified",
    }


def _given(doc: Doc, path: str) -> bool:
    name, _, part = path.partition(".")
    return bool(doc[name][part] if part else doc[name])


def _found(world: World, call: Call) -> Doc:
    accounts.required(world, call.ids["id"])
    doc = world.store.get("person", call.ids["person"], call.ids["id"])
    if doc is None:
        raise errors.no_such("person", call.ids["person"], "person")
    return doc


def retrieve(world: World, call: Call) -> Doc:
    return _found(world, call)


def update(world: World, call: Call) -> Doc:
    doc = _found(world, call)
    _take(doc, call.params)
    world.store.save(doc)
    emit(world, "person.updated", doc, account=call.ids["id"])
    return doc


def delete(world: World, call: Call) -> Doc:
    doc = _found(world, call)
    world.store.delete(doc["id"])
    emit(world, "person.deleted", doc, account=call.ids["id"])
    return {"id": doc["id"], "object": "person", "deleted": True}


def list_all(world: World, call: Call) -> Doc:
    """An account's persons, by role with relationship[owner]=true and its like."""
    accounts.required(world, call.ids["id"])
    roles = forms.nested(call.params, "relationship")
    wanted = {name: forms.boolean(roles, name) for name in ROLES if name in roles}
    docs = [
        doc
        for doc in world.store.newest("person", call.ids["id"])
        if all(doc["relationship"][name] == value for name, value in wanted.items())
    ]
    limit = forms.integer(call.params, "limit", 10, minimum=1) or 10
    return lists.as_list(call.path, docs[:limit], len(docs) > limit)
