"""The ledger's commands and facts. Amounts are signed minor units, credit positive."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, MinorUnits, Sentence, WalletAddress

_ENTRIES: list[dict[str, Any]] = [
    {"wallet": "student:student-01", "amount": -36151},
    {"wallet": "instructor:instructor-01", "amount": 8750},
    {"wallet": "aircraft_owner:owner-01", "amount": 15600},
    {"wallet": "liability:tax", "amount": 1201},
    {"wallet": "platform:school", "amount": 10600},
]
_REQUEST: dict[str, Any] = {
    "source": "flight:F123:1",
    "event_type": "flight",
    "currency": "USD",
    "occurred_at": "2026-05-22T16:45:00Z",
    "memo": "flight F123",
    "entries": _ENTRIES,
}


class EntryRequest(Event):
    """One signed amount on one wallet."""

    wallet: WalletAddress
    amount: MinorUnits


class JournalRequested(Event):
    """Ask the ledger to post one journal, once for each `source`. The ledger checks it, not this model.

    moves: the source of the journal whose money this one moves on. When that one is posted and put nothing on
    a wallet that this one takes from, the ledger refuses this one.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST]})

    source: Identifier
    event_type: Identifier
    currency: Currency
    occurred_at: Instant
    entries: list[EntryRequest]
    memo: Sentence = ""
    moves: Identifier | None = None


class PostedEntry(Event):
    """An entry as posted: the wallet's balance and version after it."""

    wallet: WalletAddress
    amount: MinorUnits
    balance_after: int
    version: int


class JournalPosted(Event):
    """A journal was posted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _REQUEST
                | {
                    "journal_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "recorded_at": "2026-05-22T16:50:00Z",
                    "entries": [e | {"balance_after": e["amount"], "version": 1} for e in _ENTRIES],
                }
            ]
        }
    )

    journal_id: UUID
    source: Identifier
    event_type: Identifier
    currency: Currency
    occurred_at: Instant
    recorded_at: Instant
    entries: list[PostedEntry] = Field(min_length=2)
    memo: Sentence = ""


class JournalRefused(Event):
    """The ledger refused to post the journal; the sentence says why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "flight:F123:1",
                    "event_type": "flight",
                    "reason": "not_balanced",
                    "sentence": "journal flight:F123:1: entries sum to 5, not zero",
                }
            ]
        }
    )

    source: Identifier
    event_type: Identifier
    reason: Identifier
    sentence: Sentence
    shortfall: int | None = None  # missing minor units, when a wallet's limit is the reason


class RevertRequested(Event):
    """Ask the ledger to post the opposite of a journal, with the source `revert:<its id>`.

    Each journal is reverted once; a repeated request is answered with the existing revert. A revert is a
    journal and can be reverted too, once.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reverts": "flight:F123:1",
                    "occurred_at": "2026-05-23T09:00:00Z",
                    "memo": "billed to the wrong student",
                }
            ]
        }
    )

    reverts: Identifier
    occurred_at: Instant
    memo: Sentence = ""


class GroupRequested(Event):
    """Ask the ledger to post several journals together or not at all; each has its own answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "group": "move:2026-041",
                    "journals": [_REQUEST, _REQUEST | {"source": "flight:F124:1", "memo": "flight F124"}],
                }
            ]
        }
    )

    group: Identifier
    journals: list[JournalRequested] = Field(min_length=1, max_length=100)
