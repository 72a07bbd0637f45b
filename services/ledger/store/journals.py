"""Journals and entries: inserted together, found by source or id."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx
from services.ledger.domain.journals import Entry, ExistingJournal, Journal, PostedJournal

_EXISTING: Final = """
    SELECT journal.source, journal.id, journal.content_hash
    FROM unnest(CAST(:sources AS text[])) AS asked (source)
    JOIN journal ON journal.source = asked.source COLLATE "C"
"""


async def existing(tx: Tx, sources: Sequence[str]) -> dict[str, ExistingJournal]:
    """Which journals are posted for these sources already, by source."""
    rows = await tx.all(_EXISTING, sources=list(sources))
    return {row.source: ExistingJournal(journal_id=row.id, content_hash=row.content_hash) for row in rows}


_CREDITED: Final = """
    SELECT journal.source, wallet.address
    FROM unnest(CAST(:sources AS text[])) AS asked (source)
    JOIN journal ON journal.source = asked.source COLLATE "C"
    JOIN entry ON entry.journal_id = journal.id AND entry.amount > 0
    JOIN wallet ON wallet.id = entry.wallet_id
"""


async def credited(tx: Tx, sources: Iterable[str | None]) -> dict[str, set[str]]:
    """The wallets that posted journals put money on, by the journal's source; None is passed over."""
    asked = [source for source in sources if source is not None]
    there: dict[str, set[str]] = {}
    for row in await tx.all(_CREDITED, sources=asked) if asked else ():
        there.setdefault(row.source, set()).add(row.address)
    return there


# One statement for both tables: the database refuses a journal without its entries, and entries added later.
# An entry names its journal by its place in the arrays; integers are sent as text, half the driver's work.
_INSERT: Final = """
    WITH posted AS (
        INSERT INTO journal (id, source, event_type, occurred_at, entry_count, content_hash, memo,
                             request_event_id)
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:event_types AS text[]),
            CAST(:occurred AS timestamptz[]), CAST(:entry_counts AS smallint[]),
            CAST(:content_hashes AS bytea[]), CAST(:memos AS text[]), CAST(:request_event_ids AS uuid[]))
        RETURNING recorded_at
    ), written AS (
        INSERT INTO entry (journal_id, occurred_at, position, wallet_id, currency, amount, balance_after,
                           version)
        SELECT (CAST(:ids AS uuid[]))[nr], (CAST(:occurred AS timestamptz[]))[nr], position, wallet_id,
               currency, amount, balance_after, version
        FROM unnest(
            CAST(CAST(:numbers AS text) AS integer[]), CAST(CAST(:positions AS text) AS smallint[]),
            CAST(CAST(:wallet_ids AS text) AS bigint[]), CAST(:currencies AS text[]),
            CAST(CAST(:amounts AS text) AS bigint[]), CAST(CAST(:balances_after AS text) AS bigint[]),
            CAST(CAST(:versions AS text) AS bigint[]))
            AS line (nr, position, wallet_id, currency, amount, balance_after, version)
    )
    SELECT max(recorded_at) AS recorded_at FROM posted
"""


async def insert(tx: Tx, journals: Sequence[Journal]) -> datetime:
    """Insert journals with their entries; returns when they are recorded."""
    row = await tx.one(_INSERT, **_journal_columns(journals), **_entry_columns(journals))
    recorded_at: datetime = row.recorded_at
    return recorded_at


_POSTED: Final = """
    SELECT journal.id, journal.source, journal.event_type, journal.occurred_at, journal.recorded_at,
           journal.content_hash, journal.memo, journal.request_event_id,
           entry.wallet_id, wallet.address, entry.currency, entry.amount, entry.balance_after, entry.version
    FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
    JOIN journal ON journal.id = asked.id
    JOIN entry ON entry.journal_id = journal.id
    JOIN wallet ON wallet.id = entry.wallet_id
    ORDER BY journal.id, entry.position
"""


async def posted(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, PostedJournal]:
    """Posted journals with their entries, by id, marked as repeated."""
    rows = await tx.all(_POSTED, ids=list(set(ids)))
    return {journal_id: _posted(list(lines)) for journal_id, lines in groupby(rows, lambda row: row.id)}


async def find(tx: Tx, sources: Sequence[str]) -> dict[str, PostedJournal]:
    """Posted journals with their entries, by source, marked as repeated."""
    ids = {there.journal_id for there in (await existing(tx, sources)).values()}
    found = await posted(tx, list(ids))
    return {there.journal.source: there for there in found.values()}


def _journal_columns(journals: Sequence[Journal]) -> dict[str, list[Any]]:
    return {
        "ids": [journal.journal_id for journal in journals],
        "sources": [journal.source for journal in journals],
        "event_types": [journal.event_type for journal in journals],
        "occurred": [journal.occurred_at for journal in journals],
        "entry_counts": [len(journal.entries) for journal in journals],
        "content_hashes": [journal.content_hash for journal in journals],
        "memos": [journal.memo for journal in journals],
        "request_event_ids": [journal.request_event_id for journal in journals],
    }


def _entry_columns(journals: Sequence[Journal]) -> dict[str, str | list[str]]:
    entries = [entry for journal in journals for entry in journal.entries]
    return {
        "numbers": _integers(number for number, journal in enumerate(journals, 1) for _ in journal.entries),
        "positions": _integers(place for journal in journals for place in range(1, len(journal.entries) + 1)),
        "wallet_ids": _integers(entry.wallet_id for entry in entries),
        "currencies": [entry.currency for entry in entries],
        "amounts": _integers(entry.amount for entry in entries),
        "balances_after": _integers(entry.balance_after for entry in entries),
        "versions": _integers(entry.version for entry in entries),
    }


def _integers(values: Iterable[int]) -> str:
    """An array of integers as PostgreSQL's text."""
    return "{" + ",".join(map(str, values)) + "}"


def _posted(lines: Sequence[Row[Any]]) -> PostedJournal:
    head = lines[0]
    journal = Journal(
        journal_id=head.id,
        source=head.source,
        event_type=head.event_type,
        occurred_at=head.occurred_at,
        content_hash=head.content_hash,
        entries=tuple(
            Entry(
                wallet_id=line.wallet_id,
                wallet=line.address,
                currency=line.currency,
                amount=line.amount,
                balance_after=line.balance_after,
                version=line.version,
            )
            for line in lines
        ),
        memo=head.memo,
        request_event_id=head.request_event_id,
    )
    return PostedJournal(journal=journal, recorded_at=head.recorded_at, repeated=True)
