"""`/v2/core/accounts` and `/v2/core/account_links`: how new platforms make connected accounts.

Refusals, each with its source:
* identity_country_required, account_controller_express_dash_without_application_losses_or_fees,
  capability_not_available_in_country: codes quoted by public repositories of 2026;
* capability_not_available_without_other_capability: stripe_transfers without merchant card_payments, unless
  Stripe approved the platform for it (github.com/stripe/openapi/issues/199, and repositories of August and
  September 2026);
* which accounts a list has is not documented well enough: the worst is assumed, each API lists its own.
"""

from dataclasses import replace
from typing import get_type_hints

from stripe.params.v2.core import _account_create_params as typed

from hobbs.local.stripe_sim import accounts, agreements, balances, onboarding, v2
from hobbs.local.stripe_sim.events import emit, emit_thin
from hobbs.local.stripe_sim.identifiers import random_text
from hobbs.local.stripe_sim.v2_account_view import INCLUDABLE, configurations, shown
from hobbs.local.stripe_sim.world import Call, Doc, World

TRANSFERS = "configuration.recipient.capabilities.stripe_balance.stripe_transfers"
CARDS = "configuration.merchant.capabilities.card_payments"
MERCHANT_CAPABILITIES = frozenset(get_type_hints(typed.AccountCreateParamsConfigurationMerchantCapabilities))


def create(world: World, call: Call) -> Doc:
    params = call.params
    include = _include(params)
    capabilities = _capabilities(params)
    country = (v2.text(params, "identity", "country") or "").upper()
    _check(world, params, country, capabilities)
    responsibilities = v2.nested(params, "defaults", "responsibilities")
    given: Doc = {
        "capabilities": {name: {"requested": "true"} for name in sorted(capabilities)},
        "controller": {
            "fees": {"payer": responsibilities.get("fees_collector", "application_express")},
            "losses": {"payments": responsibilities.get("losses_collector", "application")},
            "stripe_dashboard": {"type": params.get("dashboard") or "express"},
        },
        "country": country or world.settings.platform_country,
        "email": v2.text(params, "contact_email") or "",
        "metadata": v2.nested(params, "metadata"),
        "_v2": {
            "display_name": v2.text(params, "display_name"),
            "entity_type": v2.text(params, "identity", "entity_type"),
        },
    }
    doc = accounts.make(world, replace(call, params=given))
    emit_thin(world, "v2.core.account.created", doc["id"])
    return shown(doc, include)


def _check(world: World, params: Doc, country: str, capabilities: set[str]) -> None:
    if capabilities and not country:
        raise v2.refused(
            "identity_country_required",
            "The field identity.country is required to set up a configuration.",
            param="identity.country",
        )
    responsibilities = v2.nested(params, "defaults", "responsibilities")
    by_us = {responsibilities.get("fees_collector"), responsibilities.get("losses_collector")}
    if params.get("dashboard") == "express" and not by_us <= {"application", "application_express"}:
        raise v2.refused(
            "account_controller_express_dash_without_application_losses_or_fees",
            "Accounts with the Express Dashboard need defaults.responsibilities.fees_collector and "
            "losses_collector to be application.",
            param="defaults.responsibilities",
        )
    if "transfers" in capabilities:
        _check_transfers(world, country, capabilities)


def _check_transfers(world: World, country: str, capabilities: set[str]) -> None:
    if not agreements.is_within_region(world.settings.platform_country, country):
        message = f"stripe_transfers is not available in country {country}."
        raise v2.refused("capability_not_available_in_country", message, param=TRANSFERS)
    if "card_payments" not in capabilities and not world.settings.transfers_alone_approved:
        raise v2.refused(
            "capability_not_available_without_other_capability",
            f"The capability {TRANSFERS} is not available without {CARDS}.",
            param=TRANSFERS,
        )


def _capabilities(params: Doc) -> set[str]:
    """The requested capabilities by their names in v1. Raises StripeError for those that do not exist."""
    found: set[str] = set()
    merchant = v2.nested(params, "configuration", "merchant", "capabilities")
    for name in merchant:
        if name not in MERCHANT_CAPABILITIES:
            raise _no_capability(f"configuration.merchant.capabilities.{name}")
        found |= {name} if _requested(merchant, name) else set()
    recipient = v2.nested(params, "configuration", "recipient", "capabilities")
    for name in recipient:
        if name != "stripe_balance":
            raise _no_capability(f"configuration.recipient.capabilities.{name}")
    transfers = v2.nested(recipient, "stripe_balance")
    for name in transfers:
        if name != "stripe_transfers":
            raise _no_capability(f"configuration.recipient.capabilities.stripe_balance.{name}")
    if _requested(transfers, "stripe_transfers"):
        found.add("transfers")
    return found


def _requested(capabilities: Doc, name: str) -> bool:
    return v2.nested(capabilities, name).get("requested") is True if name in capabilities else False


def _no_capability(where: str) -> Exception:
    return v2.refused(
        "invalid_fields", f"{where} is not a capability of this API version.", param=where, saved=False
    )


def _include(params: Doc) -> list[str]:
    include = v2.strings(params, "include")
    for name in include:
        if name not in INCLUDABLE:
            raise v2.refused("invalid_fields", f"{name} cannot be included.", param="include", saved=False)
    return include


def retrieve(world: World, call: Call) -> Doc:
    return shown(_found(world, call, closed=True), _include(call.params))


def _found(world: World, call: Call, *, closed: bool = False) -> Doc:
    doc = world.store.get("account", call.ids["id"])
    if doc is None or doc["id"] == world.platform_account or (doc.get("_closed") and not closed):
        raise v2.not_found("account", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    params = call.params
    include, doc = _include(params), _found(world, call)
    country = v2.text(params, "identity", "country")
    if country is not None and country.upper() != doc["country"]:
        raise v2.refused("country_immutable", "identity.country cannot be changed.", param="identity.country")
    capabilities = _capabilities(params)
    _check(world, params | {"dashboard": None}, doc["country"], capabilities | set(doc["capabilities"]))
    if "contact_email" in params:
        doc["email"] = v2.text(params, "contact_email")
    given = v2.nested(params, "metadata")
    doc["metadata"] = {
        name: value for name, value in (doc["metadata"] | given).items() if value not in ("", None)
    }
    for name in capabilities:
        doc["capabilities"].setdefault(name, "active" if doc["details_submitted"] else "inactive")
    world.store.save(doc)
    emit(world, "account.updated", doc, account=doc["id"])
    return shown(doc, include)


def close(world: World, call: Call) -> Doc:
    """Close an account that holds no money; every configuration has to be named."""
    doc = _found(world, call)
    named = sorted(v2.strings(call.params, "applied_configurations"))
    if named != configurations(doc):
        raise v2.refused(
            "invalid_fields",
            "applied_configurations must name every configuration of the account.",
            param="applied_configurations",
        )
    held = balances.balance(world, doc["id"])
    if any(money["amount"] for part in ("available", "pending") for money in held[part]):
        raise v2.refused("account_has_a_balance", "The account still has a balance.")  # code from memory
    onboarding.close(world, doc["id"])
    return shown(_found(world, call, closed=True), [])


def list_all(world: World, call: Call) -> Doc:
    """Accounts made through API v2, newest first; closed ones only when asked for."""
    wanted = set(v2.strings(call.params, "applied_configurations"))
    closed = str(call.params.get("closed", "false")).lower() == "true"
    docs = [
        shown(doc, [])
        for doc in world.store.newest("account", "")
        if "_v2" in doc and bool(doc.get("_closed")) == closed and wanted <= set(configurations(doc))
    ]
    return v2.page(call, docs)


def create_link(world: World, call: Call) -> Doc:
    """A link to the same page as v1's links."""
    params = call.params
    account = v2.required_text(params, "account")
    if accounts.connected(world, account) is None:
        raise v2.refused("not_found", f"No such account: {account}", param="account", status=404)
    kind = v2.required_text(params, "use_case", "type")
    if kind not in LINK_KINDS:
        raise v2.refused("invalid_fields", f"use_case.type is {kind}", param="use_case.type", saved=False)
    v2.required_text(params, "use_case", kind, "refresh_url")
    urls = v2.nested(params, "use_case", kind)
    token = random_text(20)
    expires_at = world.now + accounts.LINK_LIVES_S
    back = {name: urls.get(name) for name in ("return_url", "refresh_url")}
    world.store.put_setting(f"link/{token}", {"account": account, "expires_at": expires_at, **back})
    return {
        "object": "v2.core.account_link",
        "account": account,
        "created": v2.time(world.now),
        "expires_at": v2.time(expires_at),
        "livemode": False,
        "url": f"{world.public_url}/setup/e/{account}/{token}",
        "use_case": {"type": kind, "account_onboarding": None, "account_update": None, kind: urls},
    }


LINK_KINDS = ("account_onboarding", "account_update")
