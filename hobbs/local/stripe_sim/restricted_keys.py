"""Restricted keys (`rk_test_…`): each call needs a permission, and a key has those it was given.

A key that nobody registered has what docs/operations/stripe.md recommends for Hobbs. Write includes read.
Sources: docs.stripe.com/keys/restricted-api-keys; the refusal and the names are quoted by public repositories
(a price is `plan`, payment links are plural, a top-up is `top_up`, refunds ride on `charge`). From memory:
the names for balance settings, mandates, account sessions, account links and v2.
"""

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.world import Doc, World

RESOURCES: tuple[tuple[str, str], ...] = (
    ("/v1/accounts", "connected_account"),
    ("/v1/account_links", "account_link"),
    ("/v1/account_sessions", "account_session"),
    ("/v1/account", "accounts_kyc_basic"),
    ("/v1/balance_settings", "balance_settings"),
    ("/v1/balance_transactions", "balance_transaction_source"),
    ("/v1/balance", "balance"),
    ("/v1/charges", "charge"),
    ("/v1/checkout/sessions", "checkout_session"),
    ("/v1/customers", "customer"),
    ("/v1/disputes", "dispute"),
    ("/v1/events", "event"),
    ("/v1/mandates", "mandate"),
    ("/v1/payment_intents", "payment_intent"),
    ("/v1/payment_links", "payment_links"),
    ("/v1/payment_methods", "payment_method"),
    ("/v1/payouts", "payout"),
    ("/v1/prices", "plan"),
    ("/v1/products", "product"),
    ("/v1/refunds", "charge"),
    ("/v1/setup_attempts", "setup_intent"),
    ("/v1/setup_intents", "setup_intent"),
    ("/v1/topups", "top_up"),
    ("/v1/transfers", "transfer"),
    ("/v1/webhook_endpoints", "webhook"),
    ("/v2/core/accounts", "connected_account"),
    ("/v2/core/account_links", "account_link"),
    ("/v2/core/event_destinations", "webhook"),
    ("/v2/core/events", "event"),
)
"""A path with everything below it, and the resource whose permission it needs; the first match counts."""
RECOMMENDED = (
    "connected_account_write",
    "account_link_write",
    "transfer_write",
    "payout_write",
    "balance_read",
    "balance_transaction_source_read",
    "charge_write",
    "event_read",
    "payment_intent_write",
    "customer_write",
    "checkout_session_write",
)
PREFIX = "rak_"
SETTING = "restricted_keys"


def is_registered(world: World, key: str) -> bool:
    return key in _registered(world)


def _registered(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = world.store.setting(SETTING) or {}
    return found


def check(world: World, key: str, method: str, path: str, account: str = "") -> None:
    """Raise Stripe's 403 when a restricted key lacks the permission that the call needs."""
    if not key.startswith("rk_"):
        return
    needed = permission(method, path)
    granted = set(_registered(world).get(key, RECOMMENDED))
    if needed is None or needed in granted or needed.replace("_read", "_write") in granted:
        return
    raise errors.StripeError(
        403,
        f"The provided key '{errors.masked(key)}' does not have the required permissions for this endpoint "
        f"on account '{account or world.platform_account}'. Having the '{PREFIX}{needed}' permission would "
        "allow this request to continue.",
        code="more_permissions_required",
        saved=False,
    )


def permission(method: str, path: str) -> str | None:
    """`transfer_write` for POST /v1/transfers; None for a path that no permission guards."""
    if path.startswith("/v1/customers/") and path.endswith("/payment_methods"):
        return "payment_method_read"
    for prefix, resource in RESOURCES:
        if path == prefix or path.startswith(prefix + "/"):
            return f"{resource}_{'read' if method == 'GET' else 'write'}"
    return None


# Admin


def register(world: World, given: Doc) -> Doc:
    """`key` gets `permissions` (with or without rak_), else the recommended ones; returns what it has."""
    key, wanted = str(given["key"]), given.get("permissions")
    if not key.startswith("rk_test_"):
        raise ValueError("a restricted test key begins with rk_test_")
    names = RECOMMENDED if wanted is None else [str(name).removeprefix(PREFIX) for name in wanted]
    known = {f"{resource}_{kind}" for _, resource in RESOURCES for kind in ("read", "write")}
    unknown = sorted(set(names) - known)
    if unknown:
        raise ValueError(f"unknown permission {unknown[0]!r}; known are {', '.join(sorted(known))}")
    world.store.put_setting(SETTING, _registered(world) | {key: sorted(names)})
    return {"key": errors.masked(key), "permissions": sorted(names)}


def listed(world: World) -> Doc:
    keys = [{"key": errors.masked(key), "permissions": names} for key, names in _registered(world).items()]
    return {"restricted_keys": keys, "default": sorted(RECOMMENDED)}
