"""Canceling a refund: only one that waits for the customer, which no card refund does.

Source: docs.stripe.com/api/refunds/cancel ("You can't cancel refunds in other states"). The sentence is our
own.
"""

from hobbs.local.stripe_sim import errors, refunds
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Call, Doc, World


def cancel(world: World, call: Call) -> Doc:
    doc = refunds.retrieve(world, call)
    if doc["status"] != "requires_action":
        raise errors.refused(
            f"You can only cancel a refund with a status of requires_action; this is {doc['status']}."
        )
    doc["status"] = "canceled"
    world.store.save(doc)
    emit(world, "refund.updated", doc, account=call.account, previous={"status": "requires_action"})
    return doc
