"""Holds and limits on wallets: commands to the ledger, and its answers. Amounts are minor units."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, StringConstraints, model_validator

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

HoldName = Annotated[
    str, StringConstraints(min_length=1, max_length=90, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")
]
HoldAction = Literal["place", "post", "void"]
LimitBinds = Literal["holds", "all"]

_PLACE: dict[str, Any] = {
    "action": "place",
    "hold": "flight:F123",
    "wallet": "student:student-01",
    "currency": "USD",
    "amount": 40000,
    "expires_at": "2026-05-24T12:00:00Z",
    "memo": "dispatched: flight F123",
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "place": ("wallet", "currency", "amount", "expires_at"),
    "post": ("to_wallet",),
    "void": (),
}


class HoldRequested(Event):
    """Ask the ledger to place, post or void one hold. One topic for the three, so that they keep their order.

    place: wallet, currency, amount, expires_at. post: to_wallet, and amount for a part. void: nothing more.
    `floor`: what the available balance may not go below by this hold, beside the wallet's own limit.
    `replaces`: a hold that is voided when this one is placed, and stands when this one is refused.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _PLACE,
                {
                    "action": "post",
                    "hold": "flight:F123",
                    "to_wallet": "platform:school",
                    "amount": 36151,
                    "occurred_at": "2026-05-22T16:45:00Z",
                },
                {"action": "void", "hold": "flight:F123"},
            ]
        }
    )

    action: HoldAction
    hold: HoldName
    wallet: WalletAddress | None = None
    currency: Currency | None = None
    amount: PositiveMinorUnits | None = None
    expires_at: Instant | None = None
    to_wallet: WalletAddress | None = None
    occurred_at: Instant | None = None
    memo: Sentence = ""
    floor: MinorUnits | None = None
    replaces: HoldName | None = None

    @model_validator(mode="after")
    def _has_what_its_action_needs(self) -> Self:
        missing = [field for field in _NEEDED[self.action] if getattr(self, field) is None]
        if missing:
            raise ValueError(f"to {self.action} a hold, give {', '.join(missing)}")
        return self


class HoldChanged(Event):
    """A hold was placed, posted, voided or expired; with the wallet's balances after it.

    available_balance = posted_balance - pending_balance. `repeated`: so before the request.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hold": "flight:F123",
                    "state": "open",
                    "wallet": "student:student-01",
                    "currency": "USD",
                    "amount": 40000,
                    "expires_at": "2026-05-24T12:00:00Z",
                    "changed_at": "2026-05-22T12:00:00Z",
                    "posted_balance": 100000,
                    "pending_balance": 40000,
                    "available_balance": 60000,
                }
            ]
        }
    )

    hold: HoldName
    state: Literal["open", "posted", "voided", "expired"]
    wallet: WalletAddress
    currency: Currency
    amount: PositiveMinorUnits
    expires_at: Instant
    changed_at: Instant
    posted_balance: int
    pending_balance: int
    available_balance: int
    posted_amount: PositiveMinorUnits | None = None
    journal_id: UUID | None = None
    repeated: bool = False


class HoldRefused(Event):
    """The ledger refused the request; the sentence says why, `shortfall` how much is missing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hold": "flight:F123",
                    "action": "place",
                    "reason": "limit_exceeded",
                    "sentence": "hold flight:F123 takes 40000 USD from student:student-01, which has 25000 "
                    "available and may not go below 0: short by 15000",
                    "shortfall": 15000,
                }
            ]
        }
    )

    hold: HoldName
    action: HoldAction
    reason: Identifier
    sentence: Sentence
    shortfall: int | None = None


class LimitRequested(Event):
    """Ask that a wallet's available balance may not go below `floor`; a null floor lifts the limit.

    binds: `holds` refuses new holds only, `all` journals too. A completed flight must be billed whatever the
    balance is, so use `holds` for students.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"wallet": "student:student-01", "currency": "USD", "floor": -50000, "binds": "holds"}
            ]
        }
    )

    wallet: WalletAddress
    currency: Currency
    floor: MinorUnits | None
    binds: LimitBinds = "all"


class LimitChanged(Event):
    """A wallet's new limit; the available balance may already be below it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "wallet": "student:student-01",
                    "currency": "USD",
                    "floor": -50000,
                    "binds": "holds",
                    "available_balance": -36151,
                }
            ]
        }
    )

    wallet: WalletAddress
    currency: Currency
    floor: MinorUnits | None
    binds: LimitBinds | None
    available_balance: int
    repeated: bool = False
