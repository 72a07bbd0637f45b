"""A wallet's statement, page by page. Amounts are minor units.

Promises: a page reads one range of an index, however many entries the wallet has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx
from services.ledger.desk.reads import balances

PAGE_LINES_MAX: Final = 10_000


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
    """Lines of a statement, with the cursors of the earlier page (`before`, None: no lines) and the later.

    A cursor stays valid: a wallet's versions have no gap and never change.
    """

    wallet: str
    currency: str
    lines: Sequence[StatementLine]
    before: int | None
    after: int


# By the wallet's id, not its address: the view would join every entry with its wallet to compare addresses,
# and read the whole table entry (83 ms instead of 0.2 for a page of 120,000 entries).
_LINES: Final = """
    SELECT version, occurred_at, recorded_at, source, event_type, memo, currency, amount, balance_after
    FROM ledger_public.entries
    WHERE wallet_id = (
              SELECT wallet_id FROM ledger_public.wallets WHERE address = :wallet AND currency = :currency)
      AND currency = :currency AND version < :before AND version > :after
"""
BACKWARDS: Final = _LINES + "ORDER BY version DESC LIMIT :most"
ONWARDS: Final = _LINES + "ORDER BY version LIMIT :most"


async def statement(
    tx: Tx,
    wallet: str,
    currency: str,
    *,
    before: int | None = None,
    after: int | None = None,
    most: int = 50,
) -> Page:
    """At most `most` lines, oldest first: the first after version `after`; without `after`, the last.

    before: only lines before this version.
    """
    rows = await tx.all(
        BACKWARDS if after is None else ONWARDS,
        wallet=wallet,
        currency=currency,
        before=2**63 - 1 if before is None else before,
        after=after or 0,
        most=min(most, PAGE_LINES_MAX),
    )
    if not rows and currency not in [one.currency for one in await balances.list_balances(tx, wallet=wallet)]:
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
