"""What is read to recompute a journal or a wallet. Amounts are minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """An entry that does not continue the wallet's running balance or its versions."""

    wallet: str
    version: int
    source: str
    amount: int
    balance_before: int
    balance_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypeSum:
    """The sum of a wallet's entries of one type of journal."""

    event_type: str
    entries: int
    amount: int
    first_at: datetime
    last_at: datetime


_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


async def begin_snapshot(tx: Tx) -> None:
    """Let every later statement of this transaction see the same state. It must be the first statement."""
    await tx.execute(_SNAPSHOT)


_BREAKS_IN_JOURNAL: Final = """
    SELECT entry.address AS wallet, entry.version, entry.source, entry.amount,
           coalesce(before.balance_after, 0) AS balance_before, entry.balance_after
    FROM ledger_public.entries AS entry
    LEFT JOIN ledger_public.entries AS before
           ON before.wallet_id = entry.wallet_id AND before.currency = entry.currency
          AND before.version = entry.version - 1
    WHERE entry.journal_id = :journal_id
      AND entry.balance_after <> coalesce(before.balance_after, 0) + entry.amount
    ORDER BY entry.position
"""


async def breaks_in_journal(tx: Tx, journal_id: UUID) -> list[Break]:
    """The entries of a journal that do not continue their wallet's running balance."""
    return [Break(**row._mapping) for row in await tx.all(_BREAKS_IN_JOURNAL, journal_id=journal_id)]


_FIRST_BREAK: Final = """
    SELECT wallet, version, source, amount, balance_before, balance_after FROM (
        SELECT address AS wallet, version, source, amount, balance_after,
               lag(balance_after, 1, CAST(0 AS bigint)) OVER along AS balance_before,
               lag(version, 1, CAST(0 AS bigint)) OVER along AS version_before
        FROM ledger_public.entries WHERE address = :wallet AND currency = :currency
        WINDOW along AS (ORDER BY version)
    ) AS line
    WHERE balance_after <> balance_before + amount OR version <> version_before + 1
    ORDER BY version LIMIT 1
"""


async def first_break(tx: Tx, wallet: str, currency: str) -> Break | None:
    """The first entry of a wallet that does not continue its running balance or its versions."""
    row = await tx.first(_FIRST_BREAK, wallet=wallet, currency=currency)
    return None if row is None else Break(**row._mapping)


_BY_EVENT_TYPE: Final = """
    SELECT event_type, count(*) AS entries, CAST(sum(amount) AS bigint) AS amount,
           min(recorded_at) AS first_at, max(recorded_at) AS last_at
    FROM ledger_public.entries WHERE address = :wallet AND currency = :currency
    GROUP BY event_type ORDER BY event_type
"""


async def sums_by_event_type(tx: Tx, wallet: str, currency: str) -> Sequence[EventTypeSum]:
    """The sums of a wallet's entries, sorted by type of journal."""
    return [
        EventTypeSum(**row._mapping) for row in await tx.all(_BY_EVENT_TYPE, wallet=wallet, currency=currency)
    ]


_OPEN_HOLDS: Final = """
    SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS amount FROM ledger_public.holds
    WHERE address = :wallet AND currency = :currency AND state = 'open'
"""


async def sum_of_open_holds(tx: Tx, wallet: str, currency: str) -> int:
    """The sum of the open holds on a wallet."""
    return int((await tx.one(_OPEN_HOLDS, wallet=wallet, currency=currency)).amount)
