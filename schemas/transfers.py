"""Money on its way to a payee: transfers at Stripe and payouts to the bank."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import (
    Currency,
    Event,
    Identifier,
    Instant,
    MinorUnits,
    PositiveMinorUnits,
    Sentence,
    WalletAddress,
)

_TRANSFER: dict[str, Any] = {
    "transfer_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "payee": "instructor-01",
    "wallet": "instructor:instructor-01",
    "amount": 8750,
    "currency": "USD",
}


class TransferFact(Event):
    """The fields of every event about a transfer."""

    transfer_id: UUID
    payee: Identifier
    wallet: WalletAddress
    amount: PositiveMinorUnits
    currency: Currency


class PartTaken(Event):
    """A part of a debt, in minor units, that a transfer took off; `source`: of the debt's journal."""

    source: Identifier
    amount: PositiveMinorUnits


class TransferSent(TransferFact):
    """Stripe answered 2xx: the money is on the connected account.

    sources: of the journals that it paid, or took the last cent of off. parts: debts of which it took a part,
    and not the last one. deducted: of the debts among its sources, how much it took off: less than the whole
    when other transfers or reversals took the rest.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _TRANSFER
                | {
                    "stripe_transfer_id": "tr_123",
                    "stripe_account": "acct_123",
                    "sources": ["flight:F123:1"],
                    "sent_at": "2026-05-22T16:51:00Z",
                    "clawback_until": "2026-05-25T16:51:00Z",
                }
            ]
        }
    )

    stripe_transfer_id: Identifier
    stripe_account: Identifier
    sources: list[Identifier]
    parts: list[PartTaken] = Field(default_factory=list)
    deducted: list[PartTaken] = Field(default_factory=list)
    sent_at: Instant
    clawback_until: Instant


class TransferRefused(TransferFact):
    """Stripe refused for good; a person, or the payee becoming ready, starts a new generation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _TRANSFER
                | {"reason": "account_closed", "sentence": "instructor-01's Stripe account is closed"}
            ]
        }
    )

    reason: Identifier
    sentence: Sentence


class TransferParked(TransferFact):
    """Nobody can prove whether the money moved; the payee is not paid again until a person decides."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _TRANSFER
                | {
                    "reason": "outcome_unknown",
                    "sentence": "no answer from Stripe for 12 h and no trace of it",
                }
            ]
        }
    )

    reason: Identifier
    sentence: Sentence


class TransferReversed(TransferFact):
    """Money came back from the connected account; `amount_reversed` is the total so far."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _TRANSFER
                | {
                    "amount_reversed": 1000,
                    "stripe_transfer_id": "tr_123",
                    "reversed_at": "2026-05-23T10:00:00Z",
                }
            ]
        }
    )

    amount_reversed: PositiveMinorUnits
    stripe_transfer_id: Identifier
    reversed_at: Instant


class PayoutSettled(Event):
    """A connected account's payout reached the bank, or failed to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stripe_payout_id": "po_123",
                    "stripe_account": "acct_123",
                    "payee": "instructor-01",
                    "amount": 8750,
                    "fee": 0,
                    "currency": "USD",
                    "paid": True,
                    "instant": False,
                    "transfers": ["01890a5d-ac96-774b-bcce-b302099a8057"],
                    "settled_at": "2026-05-24T09:00:00Z",
                }
            ]
        }
    )

    stripe_payout_id: Identifier
    stripe_account: Identifier
    payee: Identifier
    amount: PositiveMinorUnits
    fee: MinorUnits = 0
    currency: Currency
    paid: bool
    instant: bool = False
    failure: Sentence | None = None
    transfers: list[UUID] = Field(default_factory=list)
    settled_at: Instant
