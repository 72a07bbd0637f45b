"""Event destinations of API v2, and the thin events they get: an event says what changed and has no snapshot.

Sources: docs.stripe.com/event-destinations, docs.stripe.com/api/v2/core/event_destinations, the installed
library.
"""

from hobbs.local.stripe_sim import v2
from hobbs.local.stripe_sim.identifiers import random_text
from hobbs.local.stripe_sim.thin_events import DESTINATION, EVENT, OTHERS, OWN
from hobbs.local.stripe_sim.world import Call, Doc, World

INCLUDABLE = ("webhook_endpoint.signing_secret", "webhook_endpoint.url")


def create(world: World, call: Call) -> Doc:
    params = call.params
    if params.get("type") != "webhook_endpoint":
        raise v2.refused(
            "invalid_fields", "Only type webhook_endpoint is simulated.", param="type", saved=False
        )
    url = v2.required_text(params, "webhook_endpoint", "url")
    payload = params.get("event_payload")
    types = v2.strings(params, "enabled_events")
    snapshots = [type for type in types if not type.startswith("v2.")]
    if payload != "thin" or snapshots:
        raise v2.refused(
            "invalid_fields",
            "The Hobbs simulator sends thin events of v2 types only.",
            param="enabled_events",
            saved=False,
        )
    doc = register(
        world,
        url,
        types,
        None,
        name=v2.required_text(params, "name"),
        description=v2.text(params, "description") or "",
        events_from=v2.strings(params, "events_from") or [OWN],
        metadata=v2.nested(params, "metadata"),
    )
    return _shown(doc, v2.strings(params, "include"), secret=True)


def register(
    world: World,
    url: str,
    types: list[str],
    secret: str | None,
    *,
    name: str = "Hobbs",
    description: str = "",
    events_from: list[str] | None = None,
    metadata: Doc | None = None,
) -> Doc:
    """Make a destination for thin events, with a secret that a test may choose."""
    doc: Doc = {
        "id": f"ed_test_{random_text(24)}",
        "object": DESTINATION,
        "created": v2.time(world.clock.now()),
        "description": description,
        "enabled_events": types,
        "event_payload": "thin",
        "events_from": events_from or [OTHERS],
        "livemode": False,
        "metadata": metadata or {},
        "name": name,
        "snapshot_api_version": None,
        "status": "enabled",
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": v2.time(world.clock.now()),
        "url": url,
        "_secret": secret or f"whsec_{random_text(32)}",
    }
    return world.store.insert(doc, created=world.now)


def retrieve(world: World, call: Call) -> Doc:
    return _shown(_found(world, call), v2.strings(call.params, "include"))


def update(world: World, call: Call) -> Doc:
    doc, params = _found(world, call), call.params
    if "enabled_events" in params:
        doc["enabled_events"] = v2.strings(params, "enabled_events")
    if url := v2.text(params, "webhook_endpoint", "url"):
        doc["url"] = url
    for name in ("name", "description", "metadata"):
        doc[name] = params.get(name, doc[name])
    world.store.save(doc | {"updated": v2.time(world.clock.now())})
    return _shown(doc, v2.strings(params, "include"))


def delete(world: World, call: Call) -> Doc:
    doc = _found(world, call)
    world.store.delete(doc["id"])
    return {"id": doc["id"], "object": DESTINATION, "deleted": True}


def list_all(world: World, call: Call) -> Doc:
    include = v2.strings(call.params, "include")
    return v2.page(call, [_shown(doc, include) for doc in world.store.newest(DESTINATION, "")])


def retrieve_event(world: World, call: Call) -> Doc:
    doc = world.store.get(EVENT, call.ids["id"])
    if doc is None:
        raise v2.not_found("event", call.ids["id"])
    return doc


def _found(world: World, call: Call) -> Doc:
    doc = world.store.get(DESTINATION, call.ids["id"])
    if doc is None:
        raise v2.not_found("event destination", call.ids["id"])
    return doc


def _shown(doc: Doc, include: list[str], *, secret: bool = False) -> Doc:
    """A destination as answered; the signing secret only when it is made and asked for."""
    endpoint = {
        "signing_secret": doc["_secret"] if secret and INCLUDABLE[0] in include else None,
        "url": doc["url"] if INCLUDABLE[1] in include else None,
    }
    return {name: value for name, value in doc.items() if name != "url"} | {"webhook_endpoint": endpoint}
