"""A connected account as API v2 shows it. The simulator keeps one document for each, in v1's form.

Source: the installed stripe library (v2/core/_account.py); docs.stripe.com/api/v2/core/accounts/object.
What a request does not `include` is null.
"""

from hobbs.local.stripe_sim import v2
from hobbs.local.stripe_sim.world import Doc

INCLUDABLE = (
    "configuration.customer",
    "configuration.merchant",
    "configuration.recipient",
    "defaults",
    "future_requirements",
    "identity",
    "requirements",
)
_STATUS = {"active": "active", "pending": "pending", "inactive": "restricted"}


def shown(doc: Doc, include: list[str]) -> Doc:
    """The account with the parts that are included."""
    made = doc.get("_v2", {})
    whole = {
        "id": doc["id"],
        "object": "v2.core.account",
        "applied_configurations": configurations(doc),
        "closed": bool(doc.get("_closed")),
        "configuration": _configuration(doc, include),
        "contact_email": doc["email"],
        "contact_phone": None,
        "created": v2.time(doc["created"]),
        "dashboard": doc["controller"]["stripe_dashboard"]["type"],
        "defaults": _defaults(doc) if "defaults" in include else None,
        "display_name": made.get("display_name"),
        "future_requirements": _requirements([]) if "future_requirements" in include else None,
        "identity": _identity(doc, made) if "identity" in include else None,
        "livemode": False,
        "metadata": doc["metadata"],
        "requirements": _requirements(doc["requirements"]["currently_due"])
        if "requirements" in include
        else None,
    }
    return whole


def configurations(doc: Doc) -> list[str]:
    """The configurations applied to an account: a merchant takes cards, a recipient receives transfers."""
    of = {"card_payments": "merchant", "transfers": "recipient"}
    return sorted({of[name] for name in doc["capabilities"] if name in of})


def _configuration(doc: Doc, include: list[str]) -> Doc | None:
    parts = [name for name in ("customer", "merchant", "recipient") if f"configuration.{name}" in include]
    if not parts:
        return None
    applied = configurations(doc)
    found: Doc = dict.fromkeys(("customer", "merchant", "recipient"))
    for name in parts:
        if name in applied:
            found[name] = {"applied": True, "capabilities": _capabilities(doc, name)}
    return found


def _capabilities(doc: Doc, configuration: str) -> Doc:
    payouts = "active" if doc["payouts_enabled"] else "inactive"
    if configuration == "merchant":
        return {
            "card_payments": _capability(doc["capabilities"]["card_payments"]),
            "stripe_balance": {"payouts": _capability(payouts)},
        }
    balance = {
        "payouts": _capability(payouts),
        "stripe_transfers": _capability(doc["capabilities"]["transfers"]),
    }
    return {"bank_accounts": None, "cards": None, "stripe_balance": balance}


def _capability(status: str) -> Doc:
    details = [] if status == "active" else [{"code": "requirements_past_due", "resolution": "provide_info"}]
    return {"status": _STATUS[status], "status_details": details}


def _defaults(doc: Doc) -> Doc:
    controller = doc["controller"]
    return {
        "currency": doc["default_currency"],
        "locales": None,
        "profile": {"business_url": None, "doing_business_as": None, "product_description": None},
        "responsibilities": {
            "fees_collector": controller["fees"]["payer"],
            "losses_collector": controller["losses"]["payments"],
            "requirements_collector": controller["requirement_collection"],
        },
    }


def _identity(doc: Doc, made: Doc) -> Doc:
    return {
        "attestations": None,
        "business_details": None,
        "country": doc["country"].lower(),
        "entity_type": made.get("entity_type"),
        "individual": None,
    }


def _requirements(due: list[str]) -> Doc:
    entries: list[Doc] = [
        {
            "awaiting_action_from": "user",
            "description": name,
            "errors": [],
            "impact": {"restricts_capabilities": []},
            "minimum_deadline": {"status": "past_due"},
            "reference": None,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in due
    ]
    summary = {"minimum_deadline": {"status": "past_due", "time": None}} if due else None
    return {"alternatives": [], "entries": entries, "summary": summary}
