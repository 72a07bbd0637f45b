"""Changes of a connected account outside the API: its owner onboards, Stripe restricts it, it is closed.

Each change emits account.updated to Connect endpoints, with the previous values of what changed.
"""

from hobbs.local.stripe_sim import account_events, account_rules, jobs
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Doc, World

FIRST_DUE = [
    "business_profile.url",
    "external_account",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
    "tos_acceptance.ip",
]
WATCHED = ("capabilities", "charges_enabled", "payouts_enabled", "details_submitted", "requirements")


def no_requirements() -> Doc:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [],
        "disabled_reason": None,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }


def initial_requirements() -> Doc:
    due = list(FIRST_DUE)
    return no_requirements() | {
        "currently_due": due,
        "eventually_due": due,
        "past_due": due,
        "disabled_reason": "requirements.past_due",
    }


def complete(world: World, account_id: str) -> Doc:
    """The owner completed onboarding and Stripe verified it."""
    doc = _account(world, account_id)
    if not doc["external_accounts"]["data"]:
        doc["external_accounts"]["data"] = [_bank_account(doc)]
    doc.pop("_bank_refuses", None)
    _resume_payouts(world, account_id)
    return _change(
        world,
        doc,
        {
            "capabilities": dict.fromkeys(doc["capabilities"], "active"),
            "charges_enabled": "card_payments" in doc["capabilities"],
            "payouts_enabled": True,
            "details_submitted": True,
            "requirements": no_requirements(),
            "tos_acceptance": doc["tos_acceptance"]
            | {"date": world.now, "ip": "127.0.0.1", "user_agent": None},
        },
    )


def _resume_payouts(world: World, account_id: str) -> None:
    """Schedule an automatic payout of what was left on the balance while payouts were off."""
    for (currency,) in world.store.rows(
        "SELECT currency FROM balance WHERE account = :account AND available > 0", account=account_id
    ):
        wait = world.settings.automatic_payout_after_s
        jobs.schedule(world, "automatic_payout", f"{account_id}/{currency}", wait)


def break_bank(world: World, account_id: str, code: str = "account_closed") -> Doc:
    """From now on the account's bank refuses every payout on arrival, until `complete`."""
    return world.store.save(_account(world, account_id) | {"_bank_refuses": code})


def submit(world: World, account_id: str) -> Doc:
    """The owner completed onboarding, and Stripe has not verified it yet."""
    doc = _account(world, account_id)
    return _change(
        world,
        doc,
        {
            "capabilities": dict.fromkeys(doc["capabilities"], "pending"),
            "details_submitted": True,
            "requirements": no_requirements()
            | {
                "pending_verification": ["individual.verification.document"],
                "disabled_reason": "requirements.pending_verification",
            },
        },
    )


def restrict(
    world: World,
    account_id: str,
    *,
    disabled_reason: str = "requirements.past_due",
    currently_due: list[str] | None = None,
) -> Doc:
    """Stripe requires more or rejects the account: no charges, payouts or transfers until `complete`."""
    doc = _account(world, account_id)
    due = (
        []
        if disabled_reason.startswith("rejected")
        else (currently_due or ["individual.verification.document"])
    )
    return _change(
        world,
        doc,
        {
            "capabilities": dict.fromkeys(doc["capabilities"], "inactive"),
            "charges_enabled": False,
            "payouts_enabled": False,
            "requirements": no_requirements()
            | {
                "currently_due": due,
                "past_due": due,
                "eventually_due": due,
                "disabled_reason": disabled_reason,
            },
        },
    )


def pause_payouts(world: World, account_id: str) -> Doc:
    """Disable payouts, as after a payout that the bank refused; the account still receives transfers."""
    doc = _account(world, account_id)
    requirements = no_requirements() | {
        "currently_due": ["external_account"],
        "past_due": ["external_account"],
    }
    return _change(world, doc, {"payouts_enabled": False, "requirements": requirements})


def close(world: World, account_id: str) -> Doc:
    """End the platform's access: every later call about the account gets account_invalid."""
    doc = _account(world, account_id) | {"_closed": True, "charges_enabled": False, "payouts_enabled": False}
    world.store.save(doc)
    application = {"id": "ca_simulator", "object": "application", "name": "Hobbs"}
    emit(world, "account.application.deauthorized", application, account=account_id)
    return doc


def platform_account(world: World) -> Doc:
    return {
        "id": world.platform_account,
        "object": "account",
        "business_profile": {"name": "Simulated flight school"},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "school@example.com",
        "external_accounts": account_rules.platform_banks(world),
        "metadata": {},
        "payouts_enabled": True,
        "settings": account_rules.settings(
            {"debit_negative_balances": True, "schedule": {"interval": "manual"}}
        ),
        "type": "standard",
    }


def _account(world: World, account_id: str) -> Doc:
    doc = world.store.get("account", account_id)
    if doc is None:
        raise LookupError(f"no account {account_id}")
    return doc


def _change(world: World, doc: Doc, changes: Doc) -> Doc:
    previous = {name: doc[name] for name in WATCHED if name in changes and doc[name] != changes[name]}
    doc |= changes
    account_events.tell(world, doc, previous)
    world.store.save(doc)
    emit(world, "account.updated", doc, account=doc["id"], previous=previous)
    return doc


def _bank_account(doc: Doc) -> Doc:
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": doc["id"],
        "account_holder_name": None,
        "account_holder_type": "individual",
        "account_type": None,
        "available_payout_methods": ["standard", "instant"],
        "bank_name": "STRIPE TEST BANK",
        "country": doc["country"],
        "currency": doc["default_currency"],
        "default_for_currency": True,
        "fingerprint": random_text(16),
        "last4": "6789",
        "metadata": {},
        "routing_number": "110000000",
        "status": "new",
    }
