"""Reads what the ledger posted, as far as it moved students' wallets."""

from collections.abc import Sequence

from fleet.envelope import Record
from fleet.inbox import read
from schemas.journals import JournalPosted

_STUDENTS = b'"student:'


def of_students(batch: Sequence[Record]) -> list[Record]:
    """Journals that may name a student's wallet, and what is no journal; others cost no inbox row."""
    return [
        one
        for one in batch
        if one.value is None or _STUDENTS in one.value or b'"journal_id"' not in one.value
    ]


def journal_posted(record: Record) -> JournalPosted:
    """Read `journal.posted`."""
    return read(record, JournalPosted)
