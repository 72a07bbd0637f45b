"""What is authorized and not captured goes back to the card: by a cancellation, a partial capture, or time.

Stripe shows it as a refund that succeeded, without a balance transaction, and says so by charge.refunded (by
charge.expired when seven days passed); none of it was ever on the balance.
Sources: docs.stripe.com/api/payment_intents/cancel ("the remaining amount_capturable is automatically
refunded"), docs.stripe.com/payments/place-a-hold-on-a-payment-method (seven days), the repositories
woocommerce-gateway-stripe/issues/1081, and woocommerce-payments/pull/11130 (charge.refunded of a
cancelled authorization); woocommerce-gateway-stripe/issues/1073, and solidus_stripe/pull/268 (a
refund for the rest of a partial capture). That charge.refunded tells of such a rest too, and which
cancellation_reason an expiry has, is from memory.
"""

from hobbs.local.stripe_sim import jobs, refunds
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Doc, World

JOB = "authorization_expires"


def hold(world: World, charge_id: str) -> None:
    """Let an authorization expire unless it is captured or cancelled before."""
    jobs.schedule(world, JOB, charge_id, world.settings.authorization_expires_after_s)


def captured(world: World, charge: Doc, account: str) -> None:
    """Release what a partial capture left. The charge counts it as refunded already."""
    jobs.cancel(world, JOB, charge["id"])
    left = charge["amount"] - charge["amount_captured"]
    if left:
        _tell(world, charge, left, account, "charge.refunded", None)


def cancelled(world: World, charge: Doc, account: str) -> None:
    """Release the whole of an authorization."""
    jobs.cancel(world, JOB, charge["id"])
    _release(world, charge, account, "charge.refunded", None)


def expire(world: World, charge_id: str) -> None:
    """Job: seven days passed; the intent is cancelled with its charge."""
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    intent = world.store.get("payment_intent", charge["payment_intent"], account or "") if charge else None
    if charge is None or account is None or intent is None or intent["status"] != "requires_capture":
        return
    _release(world, charge, account, "charge.expired", "expired_uncaptured_charge")
    intent |= {
        "status": "canceled",
        "canceled_at": world.now,
        "cancellation_reason": "automatic",
        "amount_capturable": 0,
    }
    world.store.save(intent)
    emit(world, "payment_intent.canceled", intent, account=account)


def _release(world: World, charge: Doc, account: str, event: str, reason: str | None) -> None:
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    world.store.save(charge)
    _tell(world, charge, charge["amount"], account, event, reason)


def _tell(world: World, charge: Doc, amount: int, account: str, event: str, reason: str | None) -> None:
    refund = world.store.insert(refunds.shape(world, charge, amount, reason, {}), account)
    emit(world, event, charge, account=account)
    emit(world, "refund.created", refund, account=account)
