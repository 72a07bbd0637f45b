"""A journal with its entries. Amounts are minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger.domain.journals import EntryRequest, content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDetails:
    """One entry of a journal. Minor units."""

    position: int
    wallet: str
    currency: str
    amount: int
    balance_after: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDetails:
    """A journal with its entries.

    belongs_at: when it occurred, if its period was closed already. reverts, reverted_by: sources.
    """

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: str
    request_event_id: UUID | None
    memo: str
    content_hash: bytes
    belongs_at: datetime | None
    reverts: str | None
    reverted_by: str | None
    group: str | None
    entries: Sequence[EntryDetails]

    @property
    def content_matches_hash(self) -> bool:
        """Whether the content still has the hash that was recorded when the journal was posted."""
        lines = [
            EntryRequest(wallet=entry.wallet, currency=entry.currency, amount=entry.amount)
            for entry in self.entries
        ]
        occurred_at = self.belongs_at or self.occurred_at
        return content_hash(self.source, self.event_type, occurred_at, lines) == self.content_hash


_JOURNAL: Final = """
    SELECT journal.journal_id, journal.source, journal.event_type, journal.occurred_at, journal.recorded_at,
           journal.recorded_by, journal.request_event_id, journal.memo, journal.content_hash, late.belongs_at,
           reverts.reverted_source AS reverts, reverted_by.source AS reverted_by, posted_with.name AS "group"
    FROM ledger_public.journals AS journal
    LEFT JOIN ledger_public.late_journals AS late ON late.journal_id = journal.journal_id
    LEFT JOIN ledger_public.reverts AS reverts ON reverts.journal_id = journal.journal_id
    LEFT JOIN ledger_public.reverts AS reverted_by ON reverted_by.reverted_id = journal.journal_id
    LEFT JOIN ledger_public.journal_groups AS posted_with ON posted_with.journal_id = journal.journal_id
    WHERE journal.source = :name OR journal.journal_id = CAST(:journal_id AS uuid)
    ORDER BY journal.source <> :name LIMIT 1
"""
_ENTRIES: Final = """
    SELECT position, address AS wallet, currency, amount, balance_after, version
    FROM ledger_public.entries WHERE journal_id = :journal_id ORDER BY position
"""


async def find_journal(tx: Tx, name: str) -> JournalDetails | None:
    """A journal by its source or its id. None: there is none."""
    row = await tx.first(_JOURNAL, name=name, journal_id=_uuid(name))
    if row is None:
        return None
    entries = await tx.all(
        _ENTRIES,
        journal_id=row.journal_id,
    )
    return JournalDetails(**row._mapping, entries=tuple(EntryDetails(**entry._mapping) for entry in entries))


async def root_event_type(tx: Tx, journal: JournalDetails) -> str:
    """The event type of a journal; of a revert, that of the journal at the beginning of its reverts."""
    while journal.reverts is not None:
        reverted = await find_journal(tx, journal.reverts)
        if reverted is None:
            break
        journal = reverted
    return journal.event_type


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
