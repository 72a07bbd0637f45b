"""SQL of positions: what the ledger holds for each wallet, and what went to payees on each day."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from fleet.database import Tx

_TAKE = """
    INSERT INTO position_journal (journal_id)
    SELECT DISTINCT journal_id FROM unnest(CAST(:ids AS uuid[])) AS posted (journal_id) ORDER BY journal_id
    ON CONFLICT (journal_id) DO NOTHING RETURNING journal_id
"""


async def take(tx: Tx, journals: Sequence[UUID]) -> set[UUID]:
    """Note journals, and say which are new: after a restore of the ledger they come in other events."""
    return {row.journal_id for row in await tx.all(_TAKE, ids=list(journals))} if journals else set()


_ADD = """
    INSERT INTO position (wallet, currency, amount)
    SELECT wallet, currency, amount
    FROM unnest(CAST(:wallets AS text[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[]))
        AS moved (wallet, currency, amount)
    ORDER BY wallet, currency
    ON CONFLICT (wallet, currency) DO UPDATE SET amount = position.amount + excluded.amount
"""


async def add(tx: Tx, moved: Mapping[tuple[str, str], int]) -> None:
    """Add to positions; moved: (wallet, currency) -> amount."""
    if moved:
        await tx.execute(
            _ADD,
            wallets=[wallet for wallet, _ in moved],
            currencies=[currency for _, currency in moved],
            amounts=list(moved.values()),
        )


_PAY = """
    INSERT INTO payout_day (day, currency, amount)
    SELECT day, currency, amount
    FROM unnest(CAST(:days AS date[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[]))
        AS paid (day, currency, amount)
    ORDER BY day, currency
    ON CONFLICT (day, currency) DO UPDATE SET amount = payout_day.amount + excluded.amount
"""


async def pay(tx: Tx, paid: Mapping[tuple[date, str], int]) -> None:
    """Add to what went to payees; paid: (day, currency) -> amount."""
    if paid:
        await tx.execute(
            _PAY,
            days=[day for day, _ in paid],
            currencies=[currency for _, currency in paid],
            amounts=list(paid.values()),
        )


# What wallets owe the school, and whose money it has itself, is in no sum.
_OWED = """
    SELECT wallet, amount FROM position
    WHERE currency = :currency AND amount > 0
      AND kind IN ('instructor', 'aircraft_owner', 'student', 'liability')
"""


async def owed(tx: Tx, currency: str) -> dict[str, int]:
    """Wallet -> what the school owes it."""
    return {row.wallet: row.amount for row in await tx.all(_OWED, currency=currency)}


_PAID = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM payout_day
    WHERE currency = :currency AND day > CAST(:today AS date) - CAST(:days AS integer) AND day <= :today
"""


async def paid(tx: Tx, currency: str, today: date, days: int) -> int:
    """What went to payees in the last days, today among them."""
    amount: int = (await tx.one(_PAID, currency=currency, today=today, days=days)).amount
    return amount
