"""Journals as they are requested and as they are posted. Amounts are signed minor units, credit positive.

What is made by the thousand in each batch is a named tuple, given its values in order: a frozen dataclass
takes three times as long to make, and names twice (docs/decisions/0091).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID


class EntryRequest(NamedTuple):
    """A signed amount requested on one wallet, `<kind>:<name>`."""

    wallet: str
    currency: str
    amount: int


class JournalRequest(NamedTuple):
    """A request to post a journal, once for its source, and the id the journal will have.

    moves: the source of the journal whose money this one moves on: if posted, it put it where this one takes.
    """

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    entries: tuple[EntryRequest, ...]
    memo: str = ""
    request_event_id: UUID | None = None
    moves: str | None = None


class Entry(NamedTuple):
    """A posted entry, with the wallet's balance and version after it."""

    wallet_id: int
    wallet: str
    currency: str
    amount: int
    balance_after: int
    version: int


class Journal(NamedTuple):
    """A journal as it is posted; its entries are in the order of the request.

    belongs_at: when it occurred, if its period was closed already; occurred_at is then in the open period.
    """

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    content_hash: bytes
    entries: tuple[Entry, ...]
    memo: str = ""
    request_event_id: UUID | None = None
    belongs_at: datetime | None = None


class ExistingJournal(NamedTuple):
    """A journal that is posted for a source already."""

    journal_id: UUID
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The request has the content of a journal that is posted already: that journal is the reply."""

    journal_id: UUID
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedJournal:
    """A request that is refused; `sentence` says why and what to do. shortfall: missing minor units."""

    source: str
    event_type: str
    reason: str
    sentence: str
    shortfall: int | None = None


PostingResult = Journal | Repeated | RefusedJournal


class PostedJournal(NamedTuple):
    """A posted journal, as a reply. `repeated`: it was posted before this request."""

    journal: Journal
    recorded_at: datetime
    repeated: bool = False


JournalReply = PostedJournal | RefusedJournal


def content_hash(
    source: str, event_type: str, occurred_at: datetime, entries: Sequence[EntryRequest]
) -> bytes:
    """The sha256 of a journal's content, as journal_content_hash() in the database computes it.

    The memo and the order of the entries are no part of it: a request that differs in them alone is a repeat.
    """
    at = occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    lines = sorted([f"{entry.wallet}\t{entry.currency}\t{entry.amount}" for entry in entries])
    return sha256("\n".join((f"journal 1\t{source}\t{event_type}\t{at}", *lines)).encode()).digest()


def refuse(
    request: JournalRequest | RefusedJournal, reason: str, why: str, shortfall: int | None = None
) -> RefusedJournal:
    """Refuse a request; `why` completes a sentence that begins with the journal's source."""
    return RefusedJournal(
        source=request.source,
        event_type=request.event_type,
        reason=reason,
        sentence=f"journal {request.source}: {why}",
        shortfall=shortfall,
    )
