"""Monitors: a balance went beyond a threshold, or came back. Amounts are minor units, credit positive."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, MinorUnits, Sentence, WalletAddress

Watches = Literal["posted", "pending", "available"]
Comparison = Literal["below", "at_most", "above", "at_least"]


class BalanceCrossed(Event):
    """A watched balance went beyond its monitor's threshold, or came back to `recovers_at`.

    Each crossing is published once. `crossing` counts a monitor's crossings 1, 2, 3 …: odd ones lead beyond,
    even ones back. `because`: a journal or a hold moved the balance (`direction`), or the monitor was set,
    changed or removed (nothing moved). The balances are those right after the cause, `version` is the number
    of entries behind them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "monitor": "student-01 is low",
                    "crossing": 1,
                    "wallet": "student:student-01",
                    "currency": "USD",
                    "watches": "available",
                    "comparison": "below",
                    "threshold": 50000,
                    "recovers_at": 60000,
                    "beyond": True,
                    "direction": "fell",
                    "because": "journal",
                    "balance": 48849,
                    "posted_balance": 48849,
                    "pending_balance": 0,
                    "available_balance": 48849,
                    "version": 12,
                    "journal_id": "0198c2f4-7a10-7cc2-9d3e-5b8f1a2c3d4e",
                    "hold": None,
                    "memo": "ask for a top-up",
                    "crossed_at": "2026-05-22T16:45:02.123456Z",
                },
                {
                    "monitor": "student-01 is low",
                    "crossing": 2,
                    "wallet": "student:student-01",
                    "currency": "USD",
                    "watches": "available",
                    "comparison": "below",
                    "threshold": 40000,
                    "recovers_at": 40000,
                    "beyond": False,
                    "because": "setting",
                    "balance": 48849,
                    "posted_balance": 48849,
                    "pending_balance": 0,
                    "available_balance": 48849,
                    "version": 12,
                    "crossed_at": "2026-05-23T09:00:00Z",
                },
            ]
        }
    )

    monitor: Identifier
    crossing: Annotated[int, Field(strict=True, ge=1)]
    wallet: WalletAddress
    currency: Currency
    watches: Watches
    comparison: Comparison
    threshold: MinorUnits
    recovers_at: MinorUnits
    beyond: bool
    direction: Literal["fell", "rose"] | None = None
    because: Literal["journal", "hold", "setting", "removal"]
    balance: int
    posted_balance: int
    pending_balance: int
    available_balance: int
    version: int
    journal_id: UUID | None = None
    hold: Identifier | None = None
    memo: Sentence = ""
    crossed_at: Instant
