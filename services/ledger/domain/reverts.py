"""Reverts: a journal with the opposite entries of another. Each journal is reverted once."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.ledger.domain.journals import (
    EntryRequest,
    JournalReply,
    JournalRequest,
    PostedJournal,
    RefusedJournal,
)
from services.ledger.domain.openings import OPENING, OPENING_WALLET

REVERT: Final = "revert"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertRequest:
    """A request to revert the journal of the source `reverts`; the revert will have the id `journal_id`.

    of_opening: it is the opening that takes a line back, which knows whether it is signed.
    """

    journal_id: UUID
    reverts: str
    occurred_at: datetime
    memo: str = ""
    request_event_id: UUID | None = None
    of_opening: bool = False


def revert_source(reverted: UUID) -> str:
    """The source of the journal that reverts this one: one source, so one revert."""
    return f"{REVERT}:{reverted}"


def reverted_by(source: str) -> UUID:
    """The id of the journal that the journal of this source reverts."""
    return UUID(source.removeprefix(f"{REVERT}:"))


def reversal(
    asked: RevertRequest, there: PostedJournal | None, dates: MutableMapping[UUID, datetime]
) -> JournalRequest | RefusedJournal:
    """The request for the journal that reverts `there`; None there: a refusal.

    dates: when the posted reverts occurred, by the id of the reverted journal; this one is added. A revert
    that is requested again gets the date of the posted one, so that it is a repeat whatever date it names.
    """
    if there is None:
        return RefusedJournal(
            source=asked.reverts,
            event_type=REVERT,
            reason="unknown_journal",
            sentence=f"journal {asked.reverts}: is not posted, so there is nothing to revert",
        )
    if not asked.of_opening and _is_of_an_opening(there) and there.journal.journal_id not in dates:
        return RefusedJournal(
            source=asked.reverts,
            event_type=REVERT,
            reason="opening_line",
            sentence=(
                f"journal {asked.reverts}: is of an opening, which may be signed: take a line back with "
                "`hobbs opening revert`, load it anew with `hobbs opening load`"
            ),
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


def _is_of_an_opening(there: PostedJournal) -> bool:
    """Whether it is a line, or takes one back. What somebody posted on the wallet by hand is neither."""
    of_type = there.journal.event_type in (OPENING, REVERT)
    return of_type and any(entry.wallet == OPENING_WALLET for entry in there.journal.entries)


def was_posted_meanwhile(reply: JournalReply) -> bool:
    """Whether another worker posted a revert of the same journal after this one looked for it."""
    return isinstance(reply, RefusedJournal) and reply.reason == "source_reused"
