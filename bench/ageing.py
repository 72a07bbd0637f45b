"""The ageing of a large school from the read model, and how fast journals become open items.

Items are written by SQL as the consumer would have kept them; then the published functions are asked.
STUDENTS in the environment says how many (100,000), each with ten open items and ten that are settled.
"""

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg

from bench.figures import Figure, at_most
from bench.servers import deployed
from hobbs.local.stack import Stack

STUDENTS: Final = int(os.environ.get("STUDENTS", "100000"))
OPEN: Final = 10
SETTLED: Final = 10
RUNS: Final = 5


async def measure(stack: Stack) -> list[Figure]:
    """Seconds of the total, of the list by student and of one student, beside a plain sum over the lines."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        try:
            await write(owner)
            today = datetime.now(UTC).date()
            plain_s = await median(lambda: owner.fetch(_PLAIN))
            total_s = await median(lambda: owner.fetch(_TOTAL, today))
            listed_s = await median(lambda: owner.fetch(_LISTED, today, None))
            one_s = await median(lambda: owner.fetch(_LISTED, today, "s50"))
            await is_the_sum(owner, today)
        finally:
            await owner.close()
    return [
        Figure(
            name=f"ageing of {STUDENTS:,} students with {STUDENTS * OPEN:,} open items, in total",
            value=total_s,
            unit="s",
            limit=at_most(1),
            baseline=("a plain sum by student over all lines of the accounts, s", plain_s),
            note=f"as many items are settled; median of {RUNS}",
        ),
        Figure(
            name="the same, a row for each student",
            value=listed_s,
            unit="s",
            limit=at_most(1),
            baseline=("a plain sum by student over all lines of the accounts, s", plain_s),
            note=f"{STUDENTS:,} rows read by the client; median of {RUNS}",
        ),
        Figure(name="the ageing of one student", value=one_s * 1_000, unit="ms", limit=at_most(5)),
    ]


async def median(work: Callable[[], Awaitable[Any]]) -> float:
    took = []
    for _ in range(RUNS):
        began = time.monotonic()
        await work()
        took.append(time.monotonic() - began)
    return sorted(took)[RUNS // 2]


_PLAIN = "SELECT student, sum(amount) FROM receivables.item_line GROUP BY student"
_TOTAL = "SELECT * FROM receivables_public.ageing_in_total($1)"
_LISTED = "SELECT * FROM receivables_public.ageing_of($1, $2)"
_ACCOUNTS = """
    INSERT INTO receivables.account (student, currency, balance)
    SELECT 's' || n, 'USD', -100 * $2::integer FROM generate_series(1, $1::integer) AS n
"""
_ITEMS = """
    INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
    SELECT 's' || n, 'USD', 'flight:F' || n || '-' || k, -100, CASE WHEN k <= $2 THEN -100 ELSE 0 END,
           current_date - 11 * k, current_date - 11 * k
    FROM generate_series(1, $1::integer) AS n, generate_series(1, $2::integer + $3::integer) AS k
"""
_PAID = """
    INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
    SELECT 's' || n, 'USD', 'charge:ch_' || n, 100 * $2::integer, 0, current_date, current_date
    FROM generate_series(1, $1::integer) AS n
"""
_LINES = """
    INSERT INTO receivables.item_line (journal_id, student, currency, document, source, amount, booked_on)
    SELECT gen_random_uuid(), student, currency, document, document || ':1', amount, booked_on
    FROM receivables.item
"""


async def write(owner: asyncpg.Connection) -> None:
    """Accounts, their items, and a line of each."""
    await owner.execute(_ACCOUNTS, STUDENTS, OPEN)
    await owner.execute(_ITEMS, STUDENTS, OPEN, SETTLED)
    await owner.execute(_PAID, STUDENTS, SETTLED)
    await owner.execute(_LINES)
    await owner.execute("VACUUM ANALYZE receivables.item")
    await owner.execute("VACUUM ANALYZE receivables.item_line")


async def is_the_sum(owner: asyncpg.Connection, today: date) -> None:
    """Raise unless the ageing is what was written."""
    [total] = await owner.fetch(_TOTAL, today)
    if total["balance"] != await owner.fetchval("SELECT sum(amount) FROM receivables.item_line"):
        raise RuntimeError(f"the ageing comes to {total['balance']}, the lines do not")
