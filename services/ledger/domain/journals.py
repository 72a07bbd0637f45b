"""Journals as they are asked for and as they are posted. Amounts are signed minor units, credit positive.

What is made by the thousand in each batch is a named tuple, given its values in order: a frozen dataclass
takes three times as long to make, and names twice (docs/decisions/0091).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID


class EntryRequest(NamedTuple):
    """One signed amount asked for on one wallet, `<kind>:<name>`."""

    wallet: str
    currency: str
    amount: int


class JournalRequest(NamedTuple):
    """A journal somebody wants posted, once for its source, under the id it will have."""

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    entries: tuple[EntryRequest, ...]
    memo: str = ""
    request_event_id: UUID | None = None


class Entry(NamedTuple):
    """An entry as posted, with the wallet's balance and version after it."""

    wallet_id: int
    wallet: str
    currency: str
    amount: int
    balance_after: int
    version: int


class Journal(NamedTuple):
    """A journal as posted; its entries are in the order they were asked for."""

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    content_hash: bytes
    entries: tuple[Entry, ...]
    memo: str = ""
    request_event_id: UUID | None = None
    belongs_at: datetime | None = None


class Standing(NamedTuple):
    """A journal that is already posted for a source."""

    journal_id: UUID
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The request says again what a journal already says: that journal is the answer."""

    journal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request may not stand; `sentence` says why and what to do."""

    source: str
    event_type: str
    reason: str
    sentence: str
    shortfall: int | None = None


Verdict = Journal | Repeated | Refused


class Posted(NamedTuple):
    """A journal that stands. `repeated`: it stood before this request asked for it."""

    journal: Journal
    recorded_at: datetime
    repeated: bool = False


Answer = Posted | Refused


def content_hash(
    source: str, event_type: str, occurred_at: datetime, entries: Sequence[EntryRequest]
) -> bytes:
    """sha256 of what a journal says: the same as journal_content_hash() in the database.

    The memo is left out: new words for the same money are no other journal. So is the entries' order.
    """
    at = occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    lines = sorted([f"{entry.wallet}\t{entry.currency}\t{entry.amount}" for entry in entries])
    return sha256("\n".join((f"journal 1\t{source}\t{event_type}\t{at}", *lines)).encode()).digest()


def refuse(request: JournalRequest, reason: str, why: str, shortfall: int | None = None) -> Refused:
    """Refuse a request; `why` continues the sentence that names it."""
    return Refused(
        source=request.source,
        event_type=request.event_type,
        reason=reason,
        sentence=f"journal {request.source}: {why}",
        shortfall=shortfall,
    )
