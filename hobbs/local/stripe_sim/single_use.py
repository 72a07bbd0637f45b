"""A payment method that belongs to no customer pays once; one that was detached never again.

The sentences are quoted by public repositories that met them; docs.stripe.com/api/payment_methods/attach.
"""

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.world import Doc, World

NOT_AGAIN = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, "
    "shared with a connected account without Customer attachment, or was detached from a Customer. It may "
    "not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
)
NOT_ATTACHED = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
    "Customer, and may not be used again."
)


def refuse_again(method: Doc) -> None:
    if method.get("_consumed"):
        raise errors.refused(NOT_AGAIN, param="payment_method")


def refuse_attaching(method: Doc) -> None:
    if method.get("_consumed"):
        raise errors.refused(NOT_ATTACHED, param="payment_method")


def consume(world: World, method: Doc) -> None:
    """Say that a method without a customer was used, or that it was detached."""
    if method["customer"] is None:
        method["_consumed"] = True
        world.store.save(method)
