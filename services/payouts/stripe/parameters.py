"""What an operation is sent with."""

from typing import Any

from fleet.stripe_amounts import to_stripe
from services.payouts.domain.accounts import at_stripe
from services.payouts.domain.operations import Operation


def parameters_of(operation: Operation) -> dict[str, Any]:
    """An operation's frozen parameters, with the amount as Stripe writes it, an account's with an address."""
    if operation.amount is None or operation.currency is None:
        return at_stripe(operation.params, operation.email)
    return {**operation.params, "amount": to_stripe(operation.amount, operation.currency)}
