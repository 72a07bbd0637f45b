"""Thin events of accounts that API v2 made: which replace `account.updated`, and how one looks.

A platform gets no account.updated for such accounts (reported by public repositories of 2026; Stripe's
documentation names only v2 types for them), unless the setting v2_accounts_send_v1_events is on. Shape: the
installed library's EventNotification, docs.stripe.com/event-destinations.
"""

from hobbs.local.stripe_sim import v2
from hobbs.local.stripe_sim.identifiers import random_text
from hobbs.local.stripe_sim.world import Doc, World

EVENT = "v2.core.event"
DESTINATION = "v2.core.event_destination"
OTHERS, OWN = "@accounts", "@self"
ABOUT_ACCOUNTS = ("account.", "capability.", "person.")
CLOSED = "account.application.deauthorized"


def of_account(world: World, type: str, doc: Doc, account: str, previous: Doc | None) -> list[str]:
    """The thin events that tell of what a v1 event tells; none unless API v2 made the account."""
    if not type.startswith(ABOUT_ACCOUNTS) or not _made_by_v2(world, account):
        return []
    if type == CLOSED:
        return ["v2.core.account.closed"]
    return _types(doc, previous or {}) if type == "account.updated" else []


def silences(world: World, type: str, account: str) -> bool:
    """Whether a v1 event is not sent, because API v2 made the account."""
    wanted = world.settings.v2_accounts_send_v1_events
    return not wanted and type.startswith(ABOUT_ACCOUNTS) and _made_by_v2(world, account)


def _made_by_v2(world: World, account: str) -> bool:
    made: Doc | None = world.store.get("account", account) if account else None
    return made is not None and "_v2" in made


def _types(doc: Doc, previous: Doc) -> list[str]:
    before: Doc = (doc | previous)["capabilities"]
    moved = {name for name, status in doc["capabilities"].items() if before.get(name) != status}
    types = []
    if "details_submitted" in previous:
        types.append("v2.core.account[identity].updated")
    if "requirements" in previous:
        types.append("v2.core.account[requirements].updated")
    if "transfers" in moved or "payouts_enabled" in previous:
        types.append("v2.core.account[configuration.recipient].capability_status_updated")
    if "card_payments" in moved:
        types.append("v2.core.account[configuration.merchant].capability_status_updated")
    return types or ["v2.core.account.updated"]


def thin_event(world: World, type: str, account: str) -> Doc:
    call = world.call
    request = {"id": call.request_id, "idempotency_key": call.key or ""} if call else None
    return {
        "id": f"evt_test_{random_text(24)}",
        "object": EVENT,
        "context": account,
        "created": v2.time(world.clock.now()),
        "livemode": False,
        "reason": {"type": "request", "request": request} if request else None,
        "related_object": {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"},
        "type": type,
    }


def listeners(world: World, type: str) -> list[str]:
    """Ids of the event destinations that want a connected account's thin event."""
    return [
        destination["id"]
        for destination in world.store.newest(DESTINATION, "")
        if type in destination["enabled_events"]
        and OTHERS in destination["events_from"]
        and destination["status"] == "enabled"
    ]
