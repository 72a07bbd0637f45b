"""Events: stored, and queued for every webhook endpoint that is subscribed to their type."""

import random

from hobbs.local.stripe_sim import errors, lists, thin_events
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World, public

STALE_BY_S = 3_600
LISTED_FOR_S = 30 * 86_400
TYPES_MAX = 20


def emit(world: World, type: str, doc: Doc, *, account: str = "", previous: Doc | None = None) -> Doc:
    """Store an event and queue its deliveries, in the caller's transaction.

    Of an account that API v2 made, thin events tell instead of v1's (thin_events.py).
    """
    thin = [
        emit_thin(world, kind, account)
        for kind in thin_events.of_account(world, type, doc, account, previous)
    ]
    if thin_events.silences(world, type, account):
        return thin[-1] if thin else {}
    data: Doc = {"object": public(doc)}
    if previous is not None:
        data["previous_attributes"] = public(previous)
    event: Doc = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": world.api_version,
        "created": world.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {
            "id": world.call.request_id if world.call else None,
            "idempotency_key": world.call.key if world.call else None,
        },
        "type": type,
    }
    if account:
        event["account"] = account
    listeners = [
        endpoint["id"]
        for endpoint in world.store.newest("webhook_endpoint", "")
        if _is_subscribed(endpoint, event)
    ]
    event["pending_webhooks"] = len(listeners)
    world.store.insert(event, account)
    for endpoint_id in listeners:
        _queue(world, event["id"], endpoint_id)
    return event


def emit_thin(world: World, type: str, account: str) -> Doc:
    """Store a thin event of a connected account and queue its deliveries."""
    event = thin_events.thin_event(world, type, account)
    world.store.insert(event, created=world.now)
    for destination_id in thin_events.listeners(world, type):
        _queue(world, event["id"], destination_id)
    return event


def _is_subscribed(endpoint: Doc, event: Doc) -> bool:
    connect = endpoint["application"] is not None
    return (
        endpoint["status"] == "enabled"
        and connect == ("account" in event)
        and bool({"*", event["type"]} & set(endpoint["enabled_events"]))
    )


def _queue(world: World, event_id: str, endpoint_id: str) -> None:
    """Choose duplicate, delay, loss and bad copies from the seed and the delivery's number."""
    settings = world.settings
    number = world.store.row("SELECT coalesce(max(id), 0) + 1 FROM delivery") or (1,)
    fate = random.Random(f"{settings.webhook_seed}:{number[0]}")
    late = (
        fate.random() * settings.webhook_reorder_wait_s if fate.random() < settings.webhook_reorder else 0.0
    )
    lost = fate.random() < settings.webhook_loss
    enqueue(world, event_id, endpoint_id, "genuine", after_s=late, state="lost" if lost else "pending")
    for variant, share in (
        ("duplicate", settings.webhook_duplicate),
        ("forged", settings.webhook_forged),
        ("stale", settings.webhook_stale),
    ):
        if fate.random() < share:
            enqueue(
                world, event_id, endpoint_id, variant, after_s=fate.random() * settings.webhook_reorder_wait_s
            )


def enqueue(
    world: World,
    event_id: str,
    endpoint_id: str,
    variant: str,
    *,
    after_s: float = 0.0,
    state: str = "pending",
) -> None:
    now = world.clock.wall()
    world.store.write(
        "INSERT INTO delivery (event_id, endpoint_id, variant, state, first_at, due)"
        " VALUES (:event_id, :endpoint_id, :variant, :state, :now, :due)",
        event_id=event_id,
        endpoint_id=endpoint_id,
        variant=variant,
        state=state,
        now=now,
        due=now + after_s,
    )
    world.on_delivery()


# Endpoints


def retrieve_event(world: World, call: Call) -> Doc:
    doc = world.store.get("event", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("event", call.ids["id"])
    return doc


def list_events(world: World, call: Call) -> Doc:
    """Events of the last 30 days by type, by up to 20 types, or by a group of types such as `charge.*`."""
    if "delivery_success" in call.params:
        raise errors.not_simulated("filtering events by their delivery", "delivery_success")
    types, wanted = call.params.pop("types", None), call.params.get("type")
    if types and wanted:
        raise errors.invalid_param("types", "You may only specify one of these parameters: type, types.")
    if types and len(types) > TYPES_MAX:
        raise errors.invalid_param("types", f"You may pass at most {TYPES_MAX} event types.")
    if wanted and wanted.endswith("*"):
        call.params.pop("type")
    since = world.now - LISTED_FOR_S

    def keep(doc: Doc) -> bool:
        return doc["created"] >= since and _is_of_type(doc["type"], types, wanted)

    return lists.listing(world, call, "event", keep=keep)


def _is_of_type(type: str, types: list[str] | None, wanted: str | None) -> bool:
    if types:
        return type in types
    return wanted is None or type == wanted or (wanted.endswith("*") and type.startswith(wanted[:-1]))
