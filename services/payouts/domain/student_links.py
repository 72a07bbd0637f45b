"""Pages of Stripe's where a student saves a payment method, or pays: what Stripe is asked for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fleet.stripe_amounts import to_stripe

STUDENT = "student:"
NAMED = "hobbs_student"  # in the metadata of what is made at Stripe


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentLink:
    """A page that a person asked for.

    amount: to be paid, in minor units; None: a payment method is saved. bill: the flight that is paid first.
    """

    id: UUID
    wallet: str
    currency: str
    amount: int | None
    customer: str | None
    bill: str | None = None

    @property
    def student(self) -> str:
        return self.wallet.removeprefix(STUDENT)


def new_customer(link: StudentLink) -> Mapping[str, Any]:
    """A customer without name or address: the student gives Stripe what it needs."""
    return {"metadata": {NAMED: link.student}}


def page(link: StudentLink, customer: str, return_url: str) -> Mapping[str, Any]:
    """A Checkout session. What it makes names the student and the bill, so that webhooks tell whose it is."""
    bill = {} if link.bill is None else {"hobbs_bill": link.bill}
    named = {"metadata": {NAMED: link.student, **bill}}
    common: dict[str, Any] = {"customer": customer, "success_url": return_url, **named}
    currency = link.currency.lower()
    if link.amount is None:
        return common | {"mode": "setup", "currency": currency, "setup_intent_data": named}
    item = {
        "currency": currency,
        "unit_amount": to_stripe(link.amount, link.currency),
        "product_data": {"name": "Flight account"},
    }
    return common | {
        "mode": "payment",
        "line_items": [{"price_data": item, "quantity": 1}],
        "payment_intent_data": named,
    }
