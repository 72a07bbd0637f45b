"""Rows of the platform's balance that no webhook tells of: Stripe's fees, adjustments, reserves.

The fee for countering a dispute is charged when evidence is submitted and given back when the dispute is won;
the dispute's own fee is kept (support.stripe.com, pricing updates for disputes of June 2025; 15.00 each in
the United States, no countering fee in Japan and Mexico). Connect's monthly fees are rows of type stripe_fee
without a source, as polarsource/polar#1727 shows one. That the countering fee is such a row too, and not one
of the dispute's own `balance_transactions`, is from memory.
"""

from hobbs.local.stripe_sim import balances
from hobbs.local.stripe_sim.world import Doc, World

# type -> reporting_category, from docs.stripe.com/reports/reporting-categories; others have their own name
CATEGORIES = {
    "adjustment": "other_adjustment",
    "connect_collection_transfer": "connect_collection_transfer",
    "reserve_transaction": "connect_reserved_funds",
    "stripe_fx_fee": "fee",
    "tax_fee": "tax",
}
COUNTERED = "Dispute countered fee"


def charge_for_countering(world: World, dispute: Doc, account: str) -> None:
    """Charge the fee for submitted evidence, once for each dispute; an inquiry costs nothing."""
    fee = world.settings.dispute_countered_fee
    if fee and not dispute.get("_countered") and not dispute["status"].startswith("warning"):
        dispute["_countered"] = fee
        _fee(world, account, dispute["currency"], -fee, f"{COUNTERED} ({dispute['id']})")


def give_back_countering(world: World, dispute: Doc, account: str) -> None:
    """A won dispute returns the fee for countering it, as a row of its own."""
    if fee := dispute.pop("_countered", 0):
        _fee(world, account, dispute["currency"], fee, f"{COUNTERED} returned ({dispute['id']})")


def _fee(world: World, account: str, currency: str, amount: int, description: str) -> None:
    balances.post(
        world,
        type="stripe_fee",
        account=account,
        currency=currency,
        amount=amount,
        source=None,
        description=description,
    )


def move(world: World, given: Doc) -> Doc:
    """Post a row of any `type` on the platform's balance: amount, fee, currency, category, source.

    Without an amount it is a month's Connect fee of 2.00.
    """
    type, amount = str(given.get("type", "stripe_fee")), int(given.get("amount", -200))
    category = given.get("category") or CATEGORIES.get(type) or balances.CATEGORIES.get(type, type)
    return balances.post(
        world,
        type=type,
        account="",
        currency=str(given.get("currency", "usd")).lower(),
        amount=amount,
        fee=int(given.get("fee", 0)),
        source=given.get("source"),
        category=str(category),
        description=given.get("description", "Connect (2026-10-01 - 2026-10-31): Payout Fee"),
    )
