"""Money of a correction given back to the card it came from: asked of payouts, and its answer."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, PositiveMinorUnits, Sentence, WalletAddress

_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
_WHAT: dict[str, Any] = {
    "settlement_id": _ID,
    "wallet": "student:student-01",
    "currency": "USD",
    "source": "adjustment:F123:2",
}


class RefundRequested(Event):
    """Refund to a student's card what the student is owed because of the journal `source`.

    Payouts refunds the student's card payments, the newest first, never more than was paid with one and not
    given back. What it cannot refund stays on the student's account. One answer follows, `refund.settled`;
    the same `settlement_id` again is the same request. The journals of the refunds are receivables', as of
    every refund that Stripe reports.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_WHAT | {"amount": 4000}]})

    settlement_id: UUID
    wallet: WalletAddress
    currency: Currency
    amount: PositiveMinorUnits
    source: Identifier


class RefundSettled(Event):
    """What became of a request: `refunded` went back to the student's cards, the rest did not.

    reason: `done`; or why not all of it: `nothing_paid` (no card payment has anything left), `short` (they
    have less left), `refused` (Stripe refused a refund, or a bank sent it back).
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _WHAT
                | {
                    "asked": 4000,
                    "refunded": 4000,
                    "refunds": ["re_123"],
                    "reason": "done",
                    "sentence": "40.00 USD went back to the card of payment ch_123",
                    "settled_at": "2026-05-23T10:00:00Z",
                }
            ]
        }
    )

    settlement_id: UUID
    wallet: WalletAddress
    currency: Currency
    source: Identifier
    asked: PositiveMinorUnits
    refunded: int = Field(strict=True, ge=0)
    refunds: list[Identifier] = Field(default_factory=list)
    reason: Literal["done", "nothing_paid", "short", "refused"]
    sentence: Sentence
    settled_at: Instant
