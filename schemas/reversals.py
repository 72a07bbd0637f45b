"""Money taken back from a connected account: asked of payouts, and its answer."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, PositiveMinorUnits, Sentence, WalletAddress

_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
_WHAT: dict[str, Any] = {
    "settlement_id": _ID,
    "wallet": "instructor:instructor-01",
    "currency": "USD",
    "source": "adjustment:F123:2",
}


class ReversalRequested(Event):
    """Take back what a payee owes because of the journal `source`, of transfers already sent.

    Payouts takes it first from transfers that paid one of `paid_by` (sources of journals), then from the
    newest others, never after a transfer's `clawback_until`, never more than a transfer has left. What it
    does not get is deducted from what the payee is paid next, as if nobody had asked. One answer follows,
    `reversal.settled`; the same `settlement_id` again is the same request.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [_WHAT | {"amount": 1750, "paid_by": ["flight:F123:1"]}]}
    )

    settlement_id: UUID
    wallet: WalletAddress
    currency: Currency
    amount: PositiveMinorUnits
    source: Identifier
    paid_by: list[Identifier] = Field(default_factory=list, max_length=100)


class ReversalSettled(Event):
    """What became of a request: `reversed` came back from Stripe, the rest did not.

    reason: `done`; or why not all of it: `window_closed`, `nothing_sent`, `refused`, `short`,
    `already_deducted` (the money had not left yet, or a payment deducted it meanwhile), `unknown_debt`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _WHAT
                | {
                    "asked": 1750,
                    "reversed": 1750,
                    "reversals": ["trr_123"],
                    "reason": "done",
                    "sentence": "17.50 USD came back of transfer tr_123",
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
    reversed: int = Field(strict=True, ge=0)
    reversals: list[Identifier] = Field(default_factory=list)
    reason: Literal[
        "done", "window_closed", "nothing_sent", "refused", "short", "already_deducted", "unknown_debt"
    ]
    sentence: Sentence
    settled_at: Instant
