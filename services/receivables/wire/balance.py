"""Compares what is booked with the balance transactions that moved it: amount, fee, net, currency, count.

What does not add up is refused, so that a person sees it; nothing of it is posted.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from fleet.inbox import Unreadable
from fleet.stripe_amounts import InexactAmount, from_stripe
from schemas.fields import Identifier, MinorUnits

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]


class BalanceTransaction(BaseModel):
    """What moved Stripe's balance: `amount` less `fee` is `net`."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: Identifier
    amount: MinorUnits | None = None
    fee: MinorUnits = 0
    net: MinorUnits | None = None
    currency: CurrencyCode | None = None


def compare_dispute(
    dispute_id: str, amount: int, currency: str, status: str, moved: Sequence[BalanceTransaction]
) -> None:
    """What a dispute moved is booked by its amount: its balance transactions have to say the same."""
    for transaction in moved:
        _compare(transaction, currency, f"dispute {dispute_id}")
    if len({transaction.id for transaction in moved}) != len(moved):
        raise Unreadable("dispute_does_not_add_up", f"dispute {dispute_id} lists one transaction twice")
    amounts = [transaction.amount for transaction in moved]
    if not amounts or None in amounts:
        return
    taken = -sum(a for a in amounts if a and a < 0)
    back = sum(a for a in amounts if a and a > 0)
    if taken != amount or back not in (0, taken) or (back and status != "won"):
        said = f"is of {amount}, {taken} was taken and {back} brought back"
        raise Unreadable(
            "dispute_does_not_add_up",
            f"dispute {dispute_id} ({status}) {said}, in minor units of {currency.upper()}; "
            "post what moved by hand",
        )


def _compare(transaction: BalanceTransaction, currency: str, what: str) -> None:
    told = transaction.currency or currency
    if told.upper() != currency.upper():
        raise Unreadable(
            "other_currency",
            f"{what} is in {currency.upper()}, its balance transaction {transaction.id} in {told.upper()}; "
            "post it by hand",
        )
    amount, net = transaction.amount, transaction.net
    if amount is not None and net is not None and amount - transaction.fee != net:
        raise Unreadable(
            "transaction_does_not_add_up",
            f"{what}: {transaction.id} has amount {amount}, fee {transaction.fee} and net {net}",
        )


def compare_refund(refund_id: str, amount: int, currency: str, transaction: BalanceTransaction) -> None:
    """A refund is booked by its amount: its balance transaction, where shown, has to say the same."""
    _compare(transaction, currency, f"refund {refund_id}")
    if transaction.amount not in (None, -amount) or transaction.fee:
        raise Unreadable(
            "refund_does_not_add_up",
            f"refund {refund_id} is of {amount}, its balance transaction {transaction.id} of "
            f"{transaction.amount} with fee {transaction.fee}; post it by hand",
        )


def in_books(amount: int, currency: str, what: str) -> int:
    """An amount of Stripe's in minor units of the books. Raises Unreadable when they cannot write it."""
    try:
        return from_stripe(amount, currency)
    except InexactAmount as error:
        raise Unreadable("amount_not_whole", f"{what}: {error}") from None
