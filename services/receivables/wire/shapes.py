"""The shapes of Stripe's objects, as far as this service reads them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.fields import Identifier, MinorUnits, PositiveMinorUnits
from services.receivables.wire.balance import BalanceTransaction, CurrencyCode, in_books


def _id_of(value: Any) -> Any:
    """Stripe sends an object's id, or, expanded, the object."""
    return value.get("id") if isinstance(value, Mapping) else value


Reference = Annotated[Identifier | None, BeforeValidator(_id_of)]
_NotNegative = Annotated[MinorUnits, Field(ge=0)]
# Metadata that is no map (an empty list, as some clients send it) names nobody.
Metadata = Annotated[
    dict[str, Any] | None, BeforeValidator(lambda value: value if isinstance(value, Mapping) else None)
]
_Unix = Annotated[int, Field(ge=0, lt=7_258_118_400)]


class Shape(BaseModel):
    """What is read of an object, or of a part of one."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class StripeObject(Shape):
    id: Identifier
    created: _Unix
    currency: CurrencyCode
    metadata: Metadata = None

    def books(self, amount: int) -> int:
        """An amount of this object in minor units of the books; raises Unreadable."""
        return in_books(amount, self.currency, self.id)


class StripeRefund(StripeObject):
    amount: PositiveMinorUnits
    charge: Reference = None
    status: str | None = None
    balance_transaction: Reference = None


class StripeCharge(StripeObject):
    amount: _NotNegative
    amount_captured: _NotNegative | None = None
    amount_refunded: _NotNegative = 0
    captured: bool = True
    status: str | None = None
    paid: bool = False
    payment_intent: Reference = None
    failure_code: str | None = None
    failure_balance_transaction: Reference = None


class StripePaymentError(BaseModel):
    code: str | None = None
    decline_code: str | None = None
    charge: Reference = None


class StripeChargeList(BaseModel):
    data: list[dict[str, Any]] = Field(default_factory=list)


class StripePaymentIntent(StripeObject):
    """`charges` instead of `latest_charge`: as API versions before 2022-11-15 write it."""

    amount: _NotNegative
    amount_received: _NotNegative | None = None
    latest_charge: Reference = None
    charges: StripeChargeList | None = None
    last_payment_error: StripePaymentError | None = None


class StripeDispute(StripeObject):
    amount: PositiveMinorUnits
    charge: Reference
    status: str
    reason: str | None = None
    balance_transactions: list[BalanceTransaction] = Field(default_factory=list)
