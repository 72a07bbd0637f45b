"""Events about parts of a connected account: its capabilities, its person and its bank, and that it joined.

They go to Connect endpoints before the account.updated that tells of the same change; Stripe keeps no order.
Sources: docs.stripe.com/api/events/types; a log of `stripe listen` in a public repository of 2025 shows
account.application.authorized, account.updated and person.created for an account made by the API. That one
onboarding causes just these is from memory.
"""

from hobbs.local.stripe_sim import account_rules
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Doc, World

APPLICATION: Doc = {"id": "ca_simulator", "object": "application", "name": "Hobbs"}


def created(world: World, doc: Doc) -> None:
    emit(world, "account.application.authorized", APPLICATION, account=doc["id"])
    if doc.get("individual"):
        emit(world, "person.created", doc["individual"], account=doc["id"])


def tell(world: World, doc: Doc, previous: Doc) -> None:
    """Tell what changed besides the account itself; `previous`: the former values of its changed fields.

    The account is to be saved afterwards: it remembers what was told.
    """
    former: Doc = previous.get("capabilities") or doc["capabilities"]
    for name, status in doc["capabilities"].items():
        before = former.get(name)
        if status != before:
            emit(
                world,
                "capability.updated",
                capability(doc, name),
                account=doc["id"],
                previous={"status": before or "unrequested"},
            )
    if "details_submitted" in previous:
        _submitted(world, doc)
    if "payouts_enabled" in previous and doc["payouts_enabled"]:
        _banks_work_again(world, doc)
    told: list[str] = doc.setdefault("_banks_told", [])
    for bank in doc["external_accounts"]["data"]:
        if bank["id"] not in told:
            emit(world, "account.external_account.created", bank, account=doc["id"])
            told.append(bank["id"])


def _banks_work_again(world: World, doc: Doc) -> None:
    for bank in doc["external_accounts"]["data"]:
        if bank.get("status") == "errored":
            bank["status"] = "new"
            before = {"status": "errored"}
            emit(world, "account.external_account.updated", bank, account=doc["id"], previous=before)


def _submitted(world: World, doc: Doc) -> None:
    """The owner gave what was due about the person."""
    known = doc.get("individual")
    if known is None:
        doc["individual"] = account_rules.person(world, doc["id"], {})
    emit(world, "person.updated" if known else "person.created", doc["individual"], account=doc["id"])


def capability(doc: Doc, name: str) -> Doc:
    requested = name in doc["capabilities"]
    return {
        "id": name,
        "object": "capability",
        "account": doc["id"],
        "future_requirements": doc["future_requirements"],
        "requested": requested,
        "requested_at": doc["created"] if requested else None,
        "requirements": doc["requirements"],
        "status": doc["capabilities"].get(name, "unrequested"),
    }


def bank_refused(world: World, account_id: str, destination: str) -> None:
    """A payout came back: Stripe uses the external account no more until it is changed."""
    doc = world.store.get("account", account_id)
    banks = doc["external_accounts"]["data"] if doc else []
    for bank in banks:
        if doc and bank["id"] == destination and bank.get("status") != "errored":
            before, bank["status"] = bank.get("status"), "errored"
            world.store.save(doc)
            emit(
                world,
                "account.external_account.updated",
                bank,
                account=account_id,
                previous={"status": before},
            )
