"""Transfer reversals that wait for the account's balance: a private preview, on by `pending_reversals`.

Oldest first, one is carried out when the balance covers it; after 45 days it failed. While it waits nothing
moves, but the transfer's rest does not cover it twice. Source: docs.stripe.com/connect/pending-transfer-
reversals. Not documented where we could read: the events (transfer.updated here, transfer.reversed on
success) and the call that cancels one (a trigger here).
"""

from collections.abc import Callable

from hobbs.local.stripe_sim import balances, jobs
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Doc, World

LIVES_S = 45 * 86_400
CarryOut = Callable[[World, Doc, Doc], None]


def waits(world: World, transfer: Doc, amount: int) -> bool:
    """Whether a reversal of `amount` would be pending instead of refused."""
    if not world.settings.pending_reversals:
        return False
    return balances.available(world, transfer["destination"], transfer["currency"]) < amount


def reserved(transfer: Doc) -> int:
    """What the transfer's pending reversals will take, in minor units."""
    return int(transfer.get("_pending", 0))


def queue(world: World, transfer: Doc, reversal: Doc) -> Doc:
    reversal |= {"status": "pending", "destination_payment_refund": None}
    world.store.insert(reversal)
    world.store.save(transfer | {"_pending": reserved(transfer) + reversal["amount"]})
    jobs.schedule(world, "reversal_expires", reversal["id"], LIVES_S)
    emit(world, "transfer.updated", transfer)
    return reversal


def release(world: World, subject: str, carry_out: CarryOut) -> None:
    """Job: the balance of an account grew; carry out what it covers now, oldest first."""
    account, _, currency = subject.partition("/")
    for reversal in list(world.store.oldest("transfer_reversal", "", after=0)):
        transfer = world.store.get("transfer", reversal["transfer"])
        if reversal.get("status") != "pending" or transfer is None:
            continue
        if (transfer["destination"], transfer["currency"]) != (account, currency):
            continue
        if balances.available(world, account, currency) < reversal["amount"]:
            return
        jobs.cancel(world, "reversal_expires", reversal["id"])
        transfer["_pending"] = reserved(transfer) - reversal["amount"]
        carry_out(world, transfer, reversal | {"status": "succeeded"})


def end(world: World, reversal_id: str, status: str = "failed") -> Doc:
    """Job: a pending reversal expired, or was canceled; its amount can be reversed again."""
    reversal = world.store.get("transfer_reversal", reversal_id)
    if reversal is None or reversal.get("status") != "pending":
        raise LookupError(f"no pending reversal {reversal_id}")
    transfer = world.store.get("transfer", reversal["transfer"])
    assert transfer is not None
    jobs.cancel(world, "reversal_expires", reversal_id)
    reversal["status"] = status
    world.store.save(reversal)
    world.store.save(transfer | {"_pending": reserved(transfer) - reversal["amount"]})
    emit(world, "transfer.updated", transfer)
    return reversal


def _expired(world: World, given: Doc) -> Doc:
    return end(world, str(given["reversal"]), "failed")


def _canceled(world: World, given: Doc) -> Doc:
    return end(world, str(given["reversal"]), "canceled")


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {
    "transfer_reversal.failed": _expired,
    "transfer_reversal.canceled": _canceled,
}
