"""Every SQL statement of the ledger's worker; the functions it calls are in the migrations.

The service may insert journals and entries and nothing else: wallets and balances move inside the database.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError

from fleet.database import Tx
from services.ledger.domain.journals import Balance, BalanceKey, Entry, Journal, Limit, Posted, Standing

SOURCE_IS_POSTED_ONCE: Final = "journal_source_is_posted_once"
PERIOD_IS_OPEN: Final = "journal_is_dated_in_an_open_period"
LIMIT_EXCEEDED: Final = "limit_exceeded"
_DATA_ERRORS: Final = ("22", "23")  # SQLSTATE classes: data exception, integrity constraint violation


class Rejected(Exception):
    """The database refused what was inserted; `rule` is the constraint's name, or the SQLSTATE.

    shortfall: the minor units that were missing, when a limit is the reason.
    """

    def __init__(self, rule: str, sentence: str, shortfall: int | None = None) -> None:
        super().__init__(sentence)
        self.rule = rule
        self.sentence = sentence
        self.shortfall = shortfall


@asynccontextmanager
async def all_or_rejected(tx: Tx) -> AsyncIterator[None]:
    """Undo the block and raise Rejected when its data breaks a rule; an outage passes through."""
    try:
        async with tx.savepoint():
            yield
    except DBAPIError as error:
        sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
        if not sqlstate.startswith(_DATA_ERRORS):
            raise
        cause = getattr(error.orig, "__cause__", None)
        rule = getattr(cause, "constraint_name", None) or f"sqlstate_{sqlstate}"
        short = int(getattr(cause, "detail", "")) if rule == LIMIT_EXCEEDED else None
        raise Rejected(rule, getattr(cause, "message", None) or rule, short) from error


async def standing_journals(tx: Tx, sources: Sequence[str]) -> dict[str, Standing]:
    """The journals already posted for these sources."""
    rows = await tx.all(
        """
        SELECT journal.source, journal.id, journal.content_hash
        FROM unnest(CAST(:sources AS text[])) AS asked (source)
        JOIN journal ON journal.source = asked.source COLLATE "C"
        """,
        sources=list(sources),
    )
    return {row.source: Standing(journal_id=row.id, content_hash=row.content_hash) for row in rows}


class NotOpened(Exception):
    """A balance that was to be locked is not there yet; undo, and open it before any is locked."""


async def lock_open_balances(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Lock balances in wallet order; what they hold once locked. Raises NotOpened when one is missing."""
    rows = await tx.all(_LOCK, **_addressed(keys))
    if len(rows) < len(keys):
        raise NotOpened
    return {(row.address, row.currency): _balance(row) for row in rows}


async def lock_balances(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Lock balances in wallet order, opening wallets on first use; what they hold once locked.

    New wallets are opened before any balance is locked: whoever waits for a wallet that another transaction
    is opening holds nothing that transaction could want.
    """
    missing = await tx.all(_MISSING, **_addressed(keys))
    if missing:
        await tx.execute(
            "SELECT open_balances(CAST(:addresses AS text[]), CAST(:currencies AS text[]))",
            **_addressed([(row.address, row.currency) for row in missing]),
        )
    return await lock_open_balances(tx, keys)


def _balance(row: Row[Any]) -> Balance:
    return Balance(
        wallet_id=row.wallet_id,
        amount=row.amount,
        version=row.version,
        limit=None if row.floor is None else Limit(floor=row.floor, pending=row.pending),
    )


async def read_balances(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Balances as they stand, unlocked: to rehearse, never to post. Unopened wallets are left out."""
    rows = await tx.all(_READ, **_addressed(keys))
    return {(row.address, row.currency): _balance(row) for row in rows}


_READ = """
    SELECT balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version,
           balance.pending, CASE WHEN balance.floor_binds = 'all' THEN balance.floor END AS floor
    FROM unnest(CAST(:addresses AS text[]), CAST(:currencies AS text[])) AS asked (address, currency)
    JOIN wallet ON wallet.address = asked.address COLLATE "C"
    JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
"""

_MISSING = """
    SELECT asked.address, asked.currency
    FROM unnest(CAST(:addresses AS text[]), CAST(:currencies AS text[])) AS asked (address, currency)
    LEFT JOIN wallet ON wallet.address = asked.address COLLATE "C"
    LEFT JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
    WHERE balance.wallet_id IS NULL
"""

_LOCK = """
    SELECT wallet_id, address, currency, amount, version, pending, floor
    FROM lock_balances(CAST(:addresses AS text[]), CAST(:currencies AS text[]))
"""


def _addressed(keys: Sequence[BalanceKey]) -> dict[str, list[str]]:
    return {"addresses": [address for address, _ in keys], "currencies": [currency for _, currency in keys]}


# One statement for both: the database refuses a journal without its entries, and entries that come later.
# Entries name their journal by its number; whole numbers travel as text, half the driver's work.
_INSERT = """
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


async def insert_journals(tx: Tx, journals: Sequence[Journal]) -> datetime:
    """Insert journals with their entries; the instant they are recorded at."""
    row = await tx.one(_INSERT, **_journal_columns(journals), **_entry_columns(journals))
    recorded_at: datetime = row.recorded_at
    return recorded_at


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
    """An array as PostgreSQL reads it from text."""
    return "{" + ",".join(map(str, values)) + "}"


_POSTED = """
    SELECT journal.id, journal.source, journal.event_type, journal.occurred_at, journal.recorded_at,
           journal.content_hash, journal.memo, journal.request_event_id,
           entry.wallet_id, wallet.address, entry.currency, entry.amount, entry.balance_after, entry.version
    FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
    JOIN journal ON journal.id = asked.id
    JOIN entry ON entry.journal_id = journal.id
    JOIN wallet ON wallet.id = entry.wallet_id
    ORDER BY journal.id, entry.position
"""


async def posted_journals(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Posted]:
    """Journals that stand, with their entries as they were posted, marked as repeated."""
    rows = await tx.all(_POSTED, ids=list(set(ids)))
    return {journal_id: _posted(list(lines)) for journal_id, lines in groupby(rows, lambda row: row.id)}


async def find_journals(tx: Tx, sources: Sequence[str]) -> dict[str, Posted]:
    """Journals that stand for these sources, whole."""
    ids = {standing.journal_id for standing in (await standing_journals(tx, sources)).values()}
    found = await posted_journals(tx, list(ids))
    return {posted.journal.source: posted for posted in found.values()}


async def reverts_dated(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the reverts of these journals were said to occur, of those that stand."""
    rows = await tx.all(
        """
        SELECT revert.reverted_id, coalesce(late_journal.belongs_at, journal.occurred_at) AS occurred_at
        FROM revert
        JOIN journal ON journal.id = revert.journal_id
        LEFT JOIN late_journal ON late_journal.journal_id = journal.id
        WHERE revert.reverted_id = ANY (CAST(:ids AS uuid[]))
        """,
        ids=list(ids),
    )
    return {row.reverted_id: row.occurred_at for row in rows}


async def link_reverts(tx: Tx, reverted: Mapping[UUID, UUID]) -> None:
    """Say which new journal (key) reverts which (value)."""
    if reverted:
        await tx.execute(
            """
            INSERT INTO revert (journal_id, reverted_id)
            SELECT * FROM unnest(CAST(:journal_ids AS uuid[]), CAST(:reverted_ids AS uuid[]))
            """,
            journal_ids=list(reverted),
            reverted_ids=list(reverted.values()),
        )


async def closed_until(tx: Tx) -> datetime | None:
    """Where the open period begins; None: nothing was ever closed."""
    row = await tx.one("SELECT max(until) AS until FROM closed_period")
    until: datetime | None = row.until
    return until


async def link_late(tx: Tx, journals: Sequence[Journal]) -> None:
    """Say when journals that came late were true, and in which period they belong."""
    await tx.execute(
        "SELECT link_late(CAST(:ids AS uuid[]), CAST(:belongs AS timestamptz[]))",
        ids=[journal.journal_id for journal in journals],
        belongs=[journal.belongs_at for journal in journals],
    )


async def group_sources(tx: Tx, name: str) -> set[str]:
    """The sources of a group that was posted."""
    rows = await tx.all("SELECT source FROM ledger_public.journal_groups WHERE name = :name", name=name)
    return {row.source for row in rows}


async def link_group(tx: Tx, name: str, journal_ids: Sequence[UUID]) -> None:
    """Say that these new journals were posted together."""
    await tx.execute(
        """
        INSERT INTO journal_group (journal_id, name)
        SELECT id, :name FROM unnest(CAST(:ids AS uuid[])) AS posted (id)
        """,
        name=name,
        ids=list(journal_ids),
    )


def _posted(lines: Sequence[Row[Any]]) -> Posted:
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
    return Posted(journal=journal, recorded_at=head.recorded_at, repeated=True)
