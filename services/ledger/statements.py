"""Reads the books for people, through the published views: balances, statements, a journal with its entries.

Promises: a statement page is one index range, however long the wallet's history. It must not write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger.domain import EntryRequest, content_hash

PAGE_LINES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletBalance:
    """What the school owes a wallet's holder; negative: what the holder owes. Minor units."""

    wallet: str
    kind: str
    currency: str
    balance: int
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One entry on a wallet, with the balance after it. Minor units."""

    version: int
    occurred_at: datetime
    recorded_at: datetime
    source: str
    event_type: str
    memo: str
    currency: str
    amount: int
    balance_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One entry of a journal. Minor units."""

    position: int
    wallet: str
    currency: str
    amount: int
    balance_after: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedJournal:
    """A journal with its entries; `says_what_it_said`: its content still has the hash it was posted with."""

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: str
    request_event_id: UUID | None
    memo: str
    content_hash: bytes
    entries: Sequence[JournalEntry]

    @property
    def says_what_it_said(self) -> bool:
        lines = [
            EntryRequest(wallet=entry.wallet, currency=entry.currency, amount=entry.amount)
            for entry in self.entries
        ]
        return content_hash(self.source, self.event_type, self.occurred_at, lines) == self.content_hash


async def list_balances(tx: Tx, *, wallet: str | None = None, kind: str | None = None) -> list[WalletBalance]:
    """Every wallet's balance, or one wallet's, or those of a kind; by wallet and currency."""
    rows = await tx.all(
        """
        SELECT address, kind, currency, balance, entries FROM ledger_public.wallets
        WHERE (CAST(:wallet AS text) IS NULL OR address = :wallet)
          AND (CAST(:kind AS text) IS NULL OR kind = :kind)
        ORDER BY address, currency
        """,
        wallet=wallet,
        kind=kind,
    )
    return [
        WalletBalance(
            wallet=row.address,
            kind=row.kind,
            currency=row.currency,
            balance=row.balance,
            entries=row.entries,
        )
        for row in rows
    ]


STATEMENT: Final = """
    SELECT version, occurred_at, recorded_at, source, event_type, memo, currency, amount, balance_after
    FROM ledger_public.entries
    WHERE wallet_id = :wallet_id AND currency = :currency AND version < :before
    ORDER BY version DESC LIMIT :most
"""


async def statement(
    tx: Tx, wallet: str, currency: str, *, before: int | None = None, most: int = 50
) -> list[StatementLine]:
    """The last `most` lines before version `before`, oldest first; the first line's version pages back."""
    found = await tx.first("SELECT id FROM wallet WHERE address = :wallet", wallet=wallet)
    if found is None:
        return []
    rows = await tx.all(
        STATEMENT,
        wallet_id=found.id,
        currency=currency,
        before=2**63 - 1 if before is None else before,
        most=min(most, PAGE_LINES_MAX),
    )
    return [StatementLine(**row._mapping) for row in reversed(rows)]


async def find_journal(tx: Tx, name: str) -> PostedJournal | None:
    """A journal by its source or its id."""
    row = await tx.first(
        """
        SELECT journal_id, source, event_type, occurred_at, recorded_at, recorded_by, request_event_id, memo,
               content_hash
        FROM ledger_public.journals
        WHERE source = :name OR journal_id = CAST(:journal_id AS uuid)
        ORDER BY source <> :name LIMIT 1
        """,
        name=name,
        journal_id=_uuid(name),
    )
    if row is None:
        return None
    entries = await tx.all(
        """
        SELECT position, address AS wallet, currency, amount, balance_after, version
        FROM ledger_public.entries WHERE journal_id = :journal_id ORDER BY position
        """,
        journal_id=row.journal_id,
    )
    return PostedJournal(**row._mapping, entries=tuple(JournalEntry(**entry._mapping) for entry in entries))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
