"""Connect accounts (Express): creation, capabilities, links. onboarding.py has what their owners do."""

from hobbs.local.stripe_sim import (
    account_events,
    account_gate,
    account_rules,
    errors,
    forms,
    jobs,
    lists,
    onboarding,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

LINK_LIVES_S = 300
SUPPORT_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def create(world: World, call: Call) -> Doc:
    """Create an account through v1, on a platform that may (account_gate.py)."""
    account_gate.check(world, call.params, _requested(call.params))
    return make(world, call)


def make(world: World, call: Call) -> Doc:
    """Make an account, whichever API asked for it; `_v2` in the parameters when v2 did."""
    params = call.params
    kind = forms.choice(params, "type", ("express", "custom", "standard"), "express")
    country = account_rules.country(params)
    capabilities = _requested(params) or ({"card_payments", "transfers"} if kind == "standard" else set())
    account_id = new_id("acct", 16)
    doc: Doc = {
        "id": account_id,
        "object": "account",
        "business_profile": _business_profile(params),
        "business_type": forms.text(params, "business_type"),
        "capabilities": dict.fromkeys(sorted(capabilities), "inactive"),
        "charges_enabled": False,
        "controller": _controller(params, kind),
        "country": country,
        "created": world.now,
        "default_currency": account_rules.default_currency(params, country),
        "details_submitted": False,
        "email": forms.text(params, "email"),
        "external_accounts": lists.as_list(f"/v1/accounts/{account_id}/external_accounts", []),
        "future_requirements": onboarding.no_requirements(),
        "metadata": forms.metadata(params),
        "payouts_enabled": False,
        "requirements": onboarding.initial_requirements(),
        "settings": _settings(params),
        "tos_acceptance": account_gate.tos_acceptance(params),
        "type": "none" if "controller" in params and "type" not in params else kind,
    }
    if "_v2" in params:
        doc["_v2"] = params["_v2"]
    if params.get("individual"):
        doc["individual"] = account_rules.person(world, account_id, forms.nested(params, "individual"))
    world.store.insert(doc)
    account_events.created(world, doc)
    if world.settings.auto_onboard_after_s is not None:
        jobs.schedule(world, "onboard", account_id, world.settings.auto_onboard_after_s)
    return doc


def _requested(params: Doc) -> set[str]:
    wanted = forms.nested(params, "capabilities").items()
    return {name for name, value in wanted if isinstance(value, dict) and value.get("requested") == "true"}


def _business_profile(params: Doc) -> Doc:
    empty = dict.fromkeys(
        (
            "estimated_worker_count",
            "mcc",
            "minority_owned_business_designation",
            "name",
            "product_description",
            "support_email",
            "support_phone",
            "support_url",
            "url",
        )
    )
    annual = {"amount": None, "currency": None, "fiscal_year_end": None}
    return {"annual_revenue": annual, "support_address": dict(SUPPORT_ADDRESS), **empty} | forms.nested(
        params, "business_profile"
    )


def _controller(params: Doc, kind: str) -> Doc:
    given = forms.nested(params, "controller")
    collector = "stripe" if kind == "standard" else "application"
    return {
        "fees": {"payer": "account" if kind == "standard" else "application_express"},
        "is_controller": True,
        "losses": {"payments": collector},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": {"standard": "full", "custom": "none"}.get(kind, "express")},
        "type": "application",
    } | given


def _settings(params: Doc) -> Doc:
    schedule: Doc = {"delay_days": 2, "interval": "daily"}
    wanted = forms.nested(forms.nested(forms.nested(params, "settings"), "payouts"), "schedule")
    schedule |= {k: forms.integer(wanted, k) if k == "delay_days" else v for k, v in wanted.items()}
    return account_rules.settings({"debit_negative_balances": True, "schedule": schedule})


def connected(world: World, account_id: str) -> Doc | None:
    """The account. Raises StripeError when it does not exist or is closed."""
    doc = world.store.get("account", account_id)
    return None if doc is None or doc.get("_closed") else doc


def required(world: World, account_id: str) -> Doc:
    doc = connected(world, account_id)
    if doc is None:
        raise errors.account_invalid(account_id, world.call.api_key if world.call else "")
    return doc


def retrieve(world: World, call: Call) -> Doc:
    return required(world, call.ids["id"])


def retrieve_own(world: World, call: Call) -> Doc:
    if call.account:
        return required(world, call.account)
    platform = world.store.get("account", world.platform_account)
    return platform or onboarding.platform_account(world)


def update(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    params = call.params
    doc["metadata"] = forms.metadata(params, doc["metadata"])
    for name in ("email", "business_type"):
        if name in params:
            doc[name] = forms.text(params, name)
    doc["business_profile"] |= forms.nested(params, "business_profile")
    before = dict(doc["capabilities"])
    for name in _requested(params):
        doc["capabilities"].setdefault(name, "active" if doc["details_submitted"] else "inactive")
    if "settings" in params:
        doc["settings"]["payouts"] |= _settings(params)["payouts"]
    account_events.tell(world, doc, {"capabilities": before})
    world.store.save(doc)
    emit(world, "account.updated", doc, account=doc["id"])
    return doc


def delete(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    account_rules.refuse_deletion(world, doc["id"])
    onboarding.close(world, doc["id"])
    return {"id": doc["id"], "object": "account", "deleted": True}


def reject(world: World, call: Call) -> Doc:
    reason = forms.choice(call.params, "reason", ("fraud", "terms_of_service", "other"), "other")
    required(world, call.ids["id"])
    return onboarding.restrict(world, call.ids["id"], disabled_reason=f"rejected.{reason}")


def list_all(world: World, call: Call) -> Doc:
    def keep(doc: Doc) -> bool:
        return not doc.get("_closed") and doc["id"] != world.platform_account and "_v2" not in doc

    return lists.listing(world, call, "account", keep=keep)


def list_capabilities(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    return lists.as_list(call.path, [account_events.capability(doc, name) for name in doc["capabilities"]])


def retrieve_capability(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    return account_events.capability(doc, account_rules.capability(call.ids["capability"]))


def update_capability(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    name = account_rules.capability(call.ids["capability"])
    before = dict(doc["capabilities"])
    if forms.boolean(call.params, "requested"):
        doc["capabilities"].setdefault(name, "active" if doc["details_submitted"] else "inactive")
    else:
        doc["capabilities"].pop(name, None)
    account_events.tell(world, doc, {"capabilities": before})
    world.store.save(doc)
    emit(world, "account.updated", doc, account=doc["id"])
    return account_events.capability(doc, name)


def create_link(world: World, call: Call) -> Doc:
    """Create a link to a page of the simulator with one button that completes onboarding."""
    account = forms.required_text(call.params, "account")
    if connected(world, account) is None:
        raise errors.no_such("account", account, "account", status=400)
    kind = forms.choice(call.params, "type", ("account_onboarding", "account_update"), "account_onboarding")
    if kind == "account_onboarding":
        for name in ("refresh_url", "return_url"):
            forms.required_text(call.params, name)
    token = random_text(20)
    back = {name: call.params.get(name) for name in ("return_url", "refresh_url")}
    world.store.put_setting(
        f"link/{token}", {"account": account, "expires_at": world.now + LINK_LIVES_S, **back}
    )
    return {
        "object": "account_link",
        "created": world.now,
        "expires_at": world.now + LINK_LIVES_S,
        "url": f"{world.public_url}/setup/e/{account}/{token}",
    }


def create_login_link(world: World, call: Call) -> Doc:
    doc = required(world, call.ids["id"])
    if not doc["details_submitted"]:
        raise errors.refused("Cannot create a login link for an account that has not completed onboarding.")
    url = f"{world.public_url}/express/{doc['id']}/{random_text(12)}"
    return {"object": "login_link", "created": world.now, "url": url}
