"""Risk reserves: Stripe, or the platform, sets a part of a balance aside and gives it back. By trigger only.

A hold is two rows, out of the payments balance and into the risk reserve; a release two rows back. The older
row types reserve_transaction and reserved_funds move the payments balance alone. Sources:
docs.stripe.com/changelog/clover/2026-01-28/monitor-reserve-activity-on-balance-transactions,
docs.stripe.com/api/reserve/hold/object, the stripe library's classes of `reserve`. That a hold has a row on
either side is read from "use the risk_reserved balance type to reconcile".
"""

from collections.abc import Callable

from hobbs.local.stripe_sim import balances, reserved_balance
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Doc, World

DAY_S = 86_400
LONGEST_DAYS = 180


def hold(world: World, given: Doc) -> Doc:
    """Reserve `amount` of `account` ('' is the platform) for `days`: 180 at most."""
    account, currency = str(given.get("account", "")), str(given.get("currency", "usd"))
    amount, days = int(given["amount"]), int(given.get("days", 90))
    if amount <= 0 or not 0 < days <= LONGEST_DAYS:
        raise ValueError(f"a hold reserves more than 0 for 1 to {LONGEST_DAYS} days, not {amount} for {days}")
    after = world.now + days * DAY_S
    doc: Doc = {
        "id": new_id("reshold", 26),
        "object": "reserve.hold",
        "amount": amount,
        "amount_releasable": amount,
        "created": world.now,
        "created_by": str(given.get("created_by", "stripe")),
        "currency": currency,
        "destination": "risk_reserved",
        "is_releasable": True,
        "livemode": False,
        "metadata": {},
        "reason": "standalone",
        "release_details": [],
        "release_schedule": {
            "release_after": after,
            "scheduled_release": (after // DAY_S + 1) * DAY_S,
        },
        "reserve_plan": None,
        "source_charge": None,
        "source_type": "card",
    }
    world.store.insert(doc, account)
    _move(world, doc, account, "reserve_hold", -amount)
    emit(world, "reserve.hold.created", doc, account=account)
    return doc


def release(world: World, given: Doc) -> Doc:
    """Give `amount` of `reserve_hold` back, else all that is left of it."""
    doc, account = (
        world.store.find(str(given["reserve_hold"])),
        world.store.account_of(str(given["reserve_hold"])),
    )
    if doc is None or account is None or doc["object"] != "reserve.hold":
        raise LookupError(f"no reserve hold {given['reserve_hold']}")
    amount = int(given["amount"] if "amount" in given else doc["amount_releasable"])
    if not 0 < amount <= doc["amount_releasable"]:
        raise ValueError(f"{doc['id']} has {doc['amount_releasable']} left to release, not {amount}")
    made: Doc = {
        "id": new_id("resrel", 26),
        "object": "reserve.release",
        "amount": amount,
        "created": world.now,
        "created_by": doc["created_by"],
        "currency": doc["currency"],
        "destination": "payments",
        "livemode": False,
        "metadata": {},
        "reason": str(given.get("reason", "hold_released_early")),
        "released_at": world.now,
        "reserve_hold": doc["id"],
        "reserve_plan": None,
        "source_transaction": None,
    }
    world.store.insert(made, account)
    left = doc["amount_releasable"] - amount
    details = [*doc["release_details"], {"amount": amount, "reserve_release": made["id"]}]
    doc |= {"amount_releasable": left, "is_releasable": left > 0, "release_details": details}
    world.store.save(doc)
    _move(world, made, account, "reserve_release", amount)
    emit(world, "reserve.release.created", made, account=account)
    emit(world, "reserve.hold.updated", doc, account=account)
    return made


def _move(world: World, doc: Doc, account: str, type: str, amount: int) -> None:
    """`amount` is what the payments balance gains; the reserve gains the opposite."""
    row = balances.post(
        world, type=type, account=account, currency=doc["currency"], amount=amount, source=doc["id"]
    )
    mirrored = {"id": new_id("txn"), "amount": -amount, "net": -amount, "balance_type": "risk_reserved"}
    world.store.insert(row | mirrored, account)
    reserved_balance.move(world, account, doc["currency"], -amount)


def old_row(world: World, given: Doc) -> Doc:
    """A row of `type` reserve_transaction or reserved_funds: `amount`, negative to set aside."""
    type = str(given.get("type", "reserved_funds"))
    if type not in ("reserve_transaction", "reserved_funds"):
        raise ValueError(f"type is reserve_transaction or reserved_funds, not {type!r}")
    account, currency = str(given.get("account", "")), str(given.get("currency", "usd"))
    doc: Doc = {
        "id": new_id("rsv"),
        "object": "reserve_transaction",
        "amount": int(given["amount"]),
        "currency": currency,
        "description": str(given.get("description", "Risk reserve")),
    }
    world.store.insert(doc, account, created=world.now)
    return balances.post(
        world, type=type, account=account, currency=currency, amount=doc["amount"], source=doc["id"]
    )


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {
    "reserve.hold.created": hold,
    "reserve.release.created": release,
    "balance.reserved": old_row,
}
