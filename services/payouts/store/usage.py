"""SQL of how many reads Stripe was asked for on each day, and how many charges were settled."""

from datetime import date

from fleet.database import Tx

_ADD = """
    INSERT INTO stripe_usage (day, reads, transactions) VALUES (:day, :reads, :transactions)
    ON CONFLICT (day) DO UPDATE SET reads = stripe_usage.reads + excluded.reads,
                                    transactions = stripe_usage.transactions + excluded.transactions
"""


async def add(tx: Tx, day: date, reads: int, transactions: int) -> None:
    """Count reads and transactions of one process."""
    await tx.execute(_ADD, day=day, reads=reads, transactions=transactions)


_SINCE = """
    SELECT coalesce(sum(reads), 0)::bigint AS reads, coalesce(sum(transactions), 0)::bigint AS transactions
    FROM stripe_usage WHERE day > :day
"""


async def since(tx: Tx, day: date) -> tuple[int, int]:
    """Reads and transactions of all processes after that day."""
    row = await tx.one(_SINCE, day=day)
    return row.reads, row.transactions
