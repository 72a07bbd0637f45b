"""Corrections of bills that stand in the ledger: each adjustment's life, as events."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, MinorUnits, Sentence, WalletAddress


class PartyDifference(Event):
    """By how much one wallet changes, in minor units, credit positive."""

    wallet: WalletAddress
    amount: MinorUnits


class AdjustmentChanged(Event):
    """An adjustment came to another state; `differences` are against what stood in the ledger then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "adjustment_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "flight_id": "F123",
                    "revision": 2,
                    "state": "waiting",
                    "currency": "USD",
                    "differences": [
                        {"wallet": "student:student-01", "amount": 4000},
                        {"wallet": "instructor:instructor-01", "amount": -1750},
                        {"wallet": "platform:school", "amount": -2250},
                    ],
                    "sentence": "waits for one approval: the largest difference is 40.00 USD",
                    "changed_at": "2026-05-22T18:00:00Z",
                }
            ]
        }
    )

    adjustment_id: UUID
    flight_id: Identifier
    revision: int = Field(strict=True, ge=2, le=10_000)
    state: Literal[
        "proposed",
        "waiting",
        "approved",
        "rejected",
        "expired",
        "superseded",
        "posted",
        "settling",
        "settled",
        "failed",
    ]
    currency: Currency
    differences: list[PartyDifference]
    sentence: Sentence
    changed_at: Instant
