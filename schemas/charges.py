"""A charge of a student's saved card or bank account: asked of payouts, and its answer."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, PositiveMinorUnits, Sentence, WalletAddress

_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
_WHAT: dict[str, Any] = {
    "request_id": _ID,
    "wallet": "student:student-01",
    "currency": "USD",
    "amount": 17250,
    "cause": "flight:F123:1",
}


class ChargeRequested(Event):
    """Charge a student's saved payment method, once for this cause of this student.

    `request_id` follows from student and cause, so a decision that is taken again is the same request. The
    student allowed it; the amount is what was owed when it was decided and is not computed anew. Payouts
    sends it within six hours of `decided_at`, or not at all. One answer follows, `charge.answered`; the
    journal is receivables', as of every card payment.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _WHAT
                | {
                    "customer": "cus_123",
                    "payment_method": "pm_123",
                    "method_type": "card",
                    "decided_at": "2026-05-23T10:00:00Z",
                }
            ]
        }
    )

    request_id: UUID
    wallet: WalletAddress
    currency: Currency
    amount: PositiveMinorUnits
    cause: Identifier
    customer: Identifier
    payment_method: Identifier
    method_type: Literal["card", "us_bank_account"]
    decided_at: Instant


class ChargeAnswered(Event):
    """What became of a charge.

    outcome: `succeeded`; `processing` (a bank debit, which ends days later: Stripe's webhooks say how);
    `declined` (no money moved; `code` is Stripe's, the decline code where there is one, `advice` what the
    network says of trying again); `not_made` (it was not sent in time, and Stripe has nothing of it).
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _WHAT
                | {
                    "outcome": "succeeded",
                    "payment_intent": "pi_123",
                    "charge": "ch_123",
                    "sentence": "172.50 USD was charged",
                    "answered_at": "2026-05-23T10:00:02Z",
                }
            ]
        }
    )

    request_id: UUID
    wallet: WalletAddress
    currency: Currency
    amount: PositiveMinorUnits
    cause: Identifier
    outcome: Literal["succeeded", "processing", "declined", "not_made"]
    payment_intent: Identifier | None = None
    charge: Identifier | None = None
    code: Identifier | None = None
    advice: Identifier | None = None
    sentence: Sentence
    answered_at: Instant = Field(description="When the charge was made, or known not to be.")
