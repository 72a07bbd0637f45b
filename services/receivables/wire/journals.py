"""Reads what the ledger posted, as far as it moved students' wallets."""

from collections.abc import Sequence

from fleet.envelope import Record
from fleet.inbox import read
from schemas.journals import JournalPosted
from services.receivables.domain.open_items import Posted

_STUDENTS = b'"student:'


def of_students(batch: Sequence[Record]) -> list[Record]:
    """Journals that may name a student's wallet, and what is no journal; others cost no inbox row."""
    return [
        one
        for one in batch
        if one.value is None or _STUDENTS in one.value or b'"journal_id"' not in one.value
    ]


def journal_posted(record: Record) -> Posted:
    """Read `journal.posted`: which journal it is. What it moved is read from the ledger's tables."""
    event = read(record, JournalPosted)
    of_students = any(entry.wallet.startswith("student:") for entry in event.entries)
    return Posted(event.journal_id, event.source, of_students)
