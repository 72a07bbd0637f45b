"""Reversing a payout: the bank of a connected account is debited, and the money is on the account again.

Source: docs.stripe.com/connect/payout-reversals, docs.stripe.com/api/payouts/reverse. When the original
payout fails meanwhile, payouts.py cancels the reversal.
"""

from hobbs.local.stripe_sim import accounts, balances, effects, errors, forms, jobs, payouts
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Call, Doc, World

WITHIN_S = 90 * 86_400
COUNTRIES = ("US", "CA")


def reverse(world: World, call: Call) -> Doc:
    original = payouts.retrieve(world, call)
    account = _reversible(world, original, call.account)
    payout = payouts._shape(
        world, account, -original["amount"], original["currency"], "standard", automatic=False
    )
    payout |= {
        "destination": original["destination"],
        "metadata": forms.metadata(call.params),
        "original_payout": original["id"],
    }
    transaction = balances.post(
        world,
        type="payout",
        account=call.account,
        currency=payout["currency"],
        amount=original["amount"],
        source=payout["id"],
        available_on=payout["arrival_date"],
    )
    payout["balance_transaction"] = transaction["id"]
    world.store.insert(payout, call.account)
    world.store.save(original | {"reversed_by": payout["id"]})
    effects.record(world, "payout_reversal", payout, account=call.account, destination=original["id"])
    emit(world, "payout.updated", original | {"reversed_by": payout["id"]}, account=call.account)
    emit(world, "payout.created", payout, account=call.account)
    jobs.schedule(world, "payout_arrives", payout["id"], payout["_wait"])
    return payout


def _reversible(world: World, original: Doc, account_id: str) -> Doc:
    """The account whose payout can be reversed. Raises StripeError; the sentences are our own."""
    if not account_id:
        raise errors.refused("Only payouts of connected accounts can be reversed.")
    account = accounts.required(world, account_id)
    if original["reversed_by"]:
        raise errors.refused(f"Payout {original['id']} is already reversed by {original['reversed_by']}.")
    if original["amount"] < 0 or original["method"] == "instant":
        raise errors.refused("Debits and instant payouts cannot be reversed.")
    if original["status"] == "pending" and not original["automatic"]:
        raise errors.refused("This payout is pending and manual: cancel it instead.")
    if original["status"] in ("failed", "canceled"):
        raise errors.refused(f"A payout that is {original['status']} cannot be reversed.")
    if world.now - original["arrival_date"] >= WITHIN_S:
        raise errors.refused("Only payouts expected to arrive less than 90 days ago can be reversed.")
    if account["country"] not in COUNTRIES:
        raise errors.refused("Only payouts to bank accounts in the United States and Canada can be reversed.")
    return account
