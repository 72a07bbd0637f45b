"""Reverts: the journal that takes back what another moved, once."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.ledger.domain.journals import Answer, EntryRequest, JournalRequest, Posted, Refused

REVERT: Final = "revert"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertRequest:
    """Somebody wants what the journal of `reverts` (a source) moved to be taken back, under this new id."""

    journal_id: UUID
    reverts: str
    occurred_at: datetime
    memo: str = ""
    request_event_id: UUID | None = None


def revert_source(reverted: UUID) -> str:
    """The source of the journal that reverts this one: there can be only one."""
    return f"{REVERT}:{reverted}"


def reverted_by(source: str) -> UUID:
    """The id of the journal that the journal of this source reverts."""
    return UUID(source.removeprefix(f"{REVERT}:"))


def reversal(
    asked: RevertRequest, there: Posted | None, dates: MutableMapping[UUID, datetime]
) -> JournalRequest | Refused:
    """The journal that takes back what `there` moved, or why there is none.

    dates: when reverts occurred, by what they revert; this one is added. A revert asked for again gets the
    date of the one that is posted, and so is a repeat of it.
    """
    if there is None:
        return Refused(
            source=asked.reverts,
            event_type=REVERT,
            reason="unknown_journal",
            sentence=f"journal {asked.reverts}: is not posted, so there is nothing to revert",
        )
    return JournalRequest(
        journal_id=asked.journal_id,
        source=revert_source(there.journal.journal_id),
        event_type=REVERT,
        occurred_at=dates.setdefault(there.journal.journal_id, asked.occurred_at),
        entries=tuple(
            EntryRequest(wallet=entry.wallet, currency=entry.currency, amount=-entry.amount)
            for entry in there.journal.entries
        ),
        memo=asked.memo or f"reverts {there.journal.source}",
        request_event_id=asked.request_event_id,
    )


def was_posted_meanwhile(answer: Answer) -> bool:
    """Whether somebody else's revert of the same journal was committed before ours was decided."""
    return isinstance(answer, Refused) and answer.reason == "source_reused"
