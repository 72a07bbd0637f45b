"""Webhook endpoints. The secret is shown once, at creation, as at Stripe."""

from hobbs.local.stripe_sim import errors, forms, lists
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

APPLICATION = "ca_simulator"


def create(world: World, call: Call) -> Doc:
    params = call.params
    url = forms.required_text(params, "url")
    if not url.startswith(("http://", "https://")):
        raise errors.invalid_param(
            "url", "Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid"
        )
    return register(
        world,
        url=url,
        enabled_events=forms.strings(params, "enabled_events"),
        connect=forms.boolean(params, "connect"),
        description=forms.text(params, "description"),
        metadata=forms.metadata(params),
        api_version=forms.text(params, "api_version"),
    )


def register(
    world: World,
    *,
    url: str,
    enabled_events: list[str],
    connect: bool,
    secret: str | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    api_version: str | None = None,
) -> Doc:
    """Create an endpoint and return it with its secret, which a test may choose."""
    doc: Doc = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": api_version,
        "application": APPLICATION if connect else None,
        "created": world.now,
        "description": description,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": metadata or {},
        "status": "enabled",
        "url": url,
        "_secret": secret or f"whsec_{random_text(32)}",
    }
    world.store.insert(doc)
    return doc | {"secret": doc["_secret"]}


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("webhook_endpoint", call.ids["id"])
    if doc is None:
        raise errors.no_such("webhook endpoint", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    if "enabled_events" in call.params:
        doc["enabled_events"] = forms.strings(call.params, "enabled_events")
    if "url" in call.params:
        doc["url"] = forms.required_text(call.params, "url")
    if "description" in call.params:
        doc["description"] = forms.text(call.params, "description")
    if "disabled" in call.params:
        doc["status"] = "disabled" if forms.boolean(call.params, "disabled") else "enabled"
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    return world.store.save(doc)


def delete(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    world.store.delete(doc["id"])
    world.store.write(
        "UPDATE delivery SET state = 'abandoned' WHERE endpoint_id = :id AND state = 'pending'", id=doc["id"]
    )
    return {"id": doc["id"], "object": "webhook_endpoint", "deleted": True}


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "webhook_endpoint")
