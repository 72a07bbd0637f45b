"""Reads the books for people, through the published views: balances, statements, a journal with its entries.

Promises: a statement page is one index range, however long the wallet's history.
All it writes is the end of a period.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger.domain.journals import EntryRequest, content_hash

PAGE_LINES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletBalance:
    """What the school owes a wallet's holder; negative: what the holder owes. Minor units.

    available = balance - pending. limit: what available may not go below; binds: new holds only, or all.
    """

    wallet: str
    kind: str
    currency: str
    balance: int
    pending: int
    available: int
    limit: int | None
    limit_binds: str | None
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAt:
    """A wallet's balance at an instant. Minor units."""

    wallet: str
    kind: str
    currency: str
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An amount kept on a wallet, and how it ended. Minor units."""

    hold: str
    wallet: str
    currency: str
    amount: int
    state: str
    placed_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    posted_amount: int | None
    journal_id: UUID | None
    memo: str


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
class Page:
    """Lines of a statement. `before` turns to the earlier page, None on the first; `after` to the later one.

    `after` is also where to go on tomorrow: a wallet's versions have no gap and are never renumbered.
    """

    wallet: str
    currency: str
    lines: Sequence[StatementLine]
    before: int | None
    after: int


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
    """A journal with its entries; `says_what_it_said`: its content still has the hash it was posted with.

    belongs_at: when it was true, if its period was closed already. reverts, reverted_by: sources.
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
    entries: Sequence[JournalEntry]

    @property
    def says_what_it_said(self) -> bool:
        lines = [
            EntryRequest(wallet=entry.wallet, currency=entry.currency, amount=entry.amount)
            for entry in self.entries
        ]
        said_at = self.belongs_at or self.occurred_at
        return content_hash(self.source, self.event_type, said_at, lines) == self.content_hash


async def list_balances(tx: Tx, *, wallet: str | None = None, kind: str | None = None) -> list[WalletBalance]:
    """Every wallet's balance, or one wallet's, or those of a kind; by wallet and currency."""
    if wallet is None:
        rows = await tx.all(_BALANCES, kind=kind)
    else:
        rows = await tx.all(BALANCES_OF_ONE, kind=kind, wallet=wallet)
    return [WalletBalance(**row._mapping) for row in rows]


_BALANCES = """
    SELECT address AS wallet, kind, currency, balance, pending, available, "limit", limit_binds, entries
    FROM ledger_public.wallets
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY address, currency
"""
# A statement of its own: one for both would be planned for all wallets, and read them all for one.
BALANCES_OF_ONE: Final = """
    SELECT address AS wallet, kind, currency, balance, pending, available, "limit", limit_binds, entries
    FROM ledger_public.wallets
    WHERE address = :wallet AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY currency
"""


async def balances_at(
    tx: Tx, *, wallet: str | None, kind: str | None, occurred_by: datetime, known_by: datetime | None
) -> list[BalanceAt]:
    """What wallets held after all that occurred by one instant, as known by another (None: as known now)."""
    instants = {"occurred_by": occurred_by, "known_by": known_by}
    if wallet is None:
        rows = await tx.all(_BALANCES_AT, kind=kind, **instants)
    else:
        rows = await tx.all(BALANCES_AT_OF_ONE, kind=kind, wallet=wallet, **instants)
    return [BalanceAt(**row._mapping) for row in rows]


_BALANCES_AT = """
    SELECT address AS wallet, kind, currency,
           balance_at(address, currency, CAST(:occurred_by AS timestamptz),
                      coalesce(CAST(:known_by AS timestamptz), CAST('infinity' AS timestamptz))) AS balance
    FROM ledger_public.wallets
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY address, currency
"""
BALANCES_AT_OF_ONE: Final = """
    SELECT address AS wallet, kind, currency,
           balance_at(address, currency, CAST(:occurred_by AS timestamptz),
                      coalesce(CAST(:known_by AS timestamptz), CAST('infinity' AS timestamptz))) AS balance
    FROM ledger_public.wallets
    WHERE address = :wallet AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY currency
"""


async def list_holds(
    tx: Tx, *, wallet: str | None = None, state: str | None = "open", most: int = 100
) -> list[Hold]:
    """The holds placed last, of one wallet or all, in one state or any; oldest first."""
    rows = await tx.all(
        """
        SELECT hold, address AS wallet, currency, amount, state, placed_at, expires_at, closed_at,
               posted_amount, journal_id, memo
        FROM ledger_public.holds
        WHERE (CAST(:wallet AS text) IS NULL OR address = :wallet)
          AND (CAST(:state AS text) IS NULL OR state = :state)
        ORDER BY hold_id DESC LIMIT :most
        """,
        wallet=wallet,
        state=state,
        most=most,
    )
    return [Hold(**row._mapping) for row in reversed(rows)]


# On the tables: the view looks every line's wallet up again.
_LINES = """
    SELECT entry.version, journal.occurred_at, entry.recorded_at, journal.source, journal.event_type,
           journal.memo, entry.currency, entry.amount, entry.balance_after
    FROM entry JOIN journal ON journal.id = entry.journal_id
    WHERE entry.wallet_id = (SELECT id FROM wallet WHERE address = :wallet)
      AND entry.currency = :currency AND entry.version < :before AND entry.version > :after
"""
STATEMENT: Final = _LINES + "ORDER BY entry.version DESC LIMIT :most"
STATEMENT_ONWARDS: Final = _LINES + "ORDER BY entry.version LIMIT :most"


async def statement(
    tx: Tx,
    wallet: str,
    currency: str,
    *,
    before: int | None = None,
    after: int | None = None,
    most: int = 50,
) -> Page:
    """At most `most` lines, oldest first: the next ones after version `after`, or else the last ones.

    before: only lines before this version. The page names the versions that turn it either way.
    """
    rows = await tx.all(
        STATEMENT if after is None else STATEMENT_ONWARDS,
        wallet=wallet,
        currency=currency,
        before=2**63 - 1 if before is None else before,
        after=after or 0,
        most=min(most, PAGE_LINES_MAX),
    )
    if not rows and currency not in [one.currency for one in await list_balances(tx, wallet=wallet)]:
        return Page(wallet=wallet, currency=currency, lines=(), before=None, after=after or 0)
    lines = sorted((StatementLine(**row._mapping) for row in rows), key=lambda line: line.version)
    return _page(wallet, currency, lines, before, after)


def _page(
    wallet: str, currency: str, lines: Sequence[StatementLine], before: int | None, after: int | None
) -> Page:
    first = lines[0].version if lines else before or (after or 0) + 1
    last = lines[-1].version if lines else first - 1
    return Page(
        wallet=wallet,
        currency=currency,
        lines=tuple(lines),
        before=first if first > 1 else None,
        after=last,
    )


_JOURNAL = """
    SELECT journal.journal_id, journal.source, journal.event_type, journal.occurred_at, journal.recorded_at,
           journal.recorded_by, journal.request_event_id, journal.memo, journal.content_hash, late.belongs_at,
           taken.reverted_source AS reverts, made.source AS reverted_by, together.name AS "group"
    FROM ledger_public.journals AS journal
    LEFT JOIN ledger_public.late_journals AS late ON late.journal_id = journal.journal_id
    LEFT JOIN ledger_public.reverts AS taken ON taken.journal_id = journal.journal_id
    LEFT JOIN ledger_public.reverts AS made ON made.reverted_id = journal.journal_id
    LEFT JOIN ledger_public.journal_groups AS together ON together.journal_id = journal.journal_id
    WHERE journal.source = :name OR journal.journal_id = CAST(:journal_id AS uuid)
    ORDER BY journal.source <> :name LIMIT 1
"""


async def find_journal(tx: Tx, name: str) -> PostedJournal | None:
    """A journal by its source or its id."""
    row = await tx.first(_JOURNAL, name=name, journal_id=_uuid(name))
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


async def close_period(tx: Tx, until: datetime | None, memo: str) -> None:
    """Close everything that occurred before an instant. The database refuses one that is not over."""
    await tx.execute("SELECT close_period(CAST(:until AS timestamptz), :memo)", until=until, memo=memo)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
