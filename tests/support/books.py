"""Journals that a test says were posted, written into the ledger's books by the ledger's own code."""

from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import JournalPosted
from services.ledger import steps
from services.ledger.domain.journals import EntryRequest, JournalRequest, RefusedJournal


def _as_requested(announced: Record) -> JournalRequest:
    journal = JournalPosted.model_validate_json(announced.value or b"")
    entries = [EntryRequest(entry.wallet, journal.currency, entry.amount) for entry in journal.entries]
    return JournalRequest(
        journal_id=journal.journal_id,
        source=journal.source,
        event_type=journal.event_type,
        occurred_at=journal.occurred_at,
        entries=tuple(entries),
    )


async def keep_books(ledger: Database, *announced: Record) -> None:
    """Post what these records announce, under the ids that they say; what is posted already stays."""
    async with ledger.transaction() as tx:
        replies = await steps.posting.post(tx, [_as_requested(one) for one in announced])
    assert not [reply for reply in replies if isinstance(reply, RefusedJournal)], replies
