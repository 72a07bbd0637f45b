"""The comparison with Stripe of years from nothing, and of one day on top of them.

Rows and journals are written by SQL as the consumers would have kept them, all open; then the service's own
steps match and compare. ROWS in the environment says how many rows of Stripe's balance (a million).
"""

import os
import resource
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from bench.figures import Figure, at_least, at_most
from bench.servers import deployed
from fleet.database import Database
from hobbs.local.stack import Stack
from services.reserves.steps import reconciliation

ROWS: Final = int(os.environ.get("ROWS", "1000000"))
OF_A_DAY: Final = 5_000
YEARS: Final = timedelta(days=3 * 365)


async def measure(stack: Stack) -> list[Figure]:
    """Rows a second from nothing, the memory of it, a day of new rows, and the join that is the limit."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        db = Database(deployment.fleet.database_url("reserves"), schema="reserves", pool_size=2)
        try:
            await write(owner, "past", ROWS, now - YEARS, now - timedelta(days=1))
            joined_s = await join(owner)
            past_s = await reconciled(db, now - timedelta(days=1), now)
            await nothing_is_open(owner)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            await write(owner, "day", OF_A_DAY, now - timedelta(hours=6), now)
            day_s = await reconciled(db, now, now)
            await nothing_is_open(owner)
        finally:
            await db.close()
            await owner.close()
    return [
        Figure(
            name=f"reconciliation of {ROWS:,} rows from nothing",
            value=ROWS / past_s,
            unit="rows/s",
            limit=at_least(20_000),
            baseline=("one full outer join of two prepared tables, rows/s", ROWS / joined_s),
            note=f"{past_s:.1f} s; half charges with two journals each, half transfers; all match by ids",
        ),
        Figure(
            name="memory of a reconciliation from nothing",
            value=peak,
            unit="MiB",
            limit=at_most(300),
            note="VmHWM of the process that reconciles, which is the bench's own",
        ),
        Figure(
            name=f"a day of {OF_A_DAY:,} new rows",
            value=day_s,
            unit="s",
            limit=at_most(3),
            note=f"with {ROWS:,} rows behind it",
        ),
    ]


async def reconciled(db: Database, at: datetime, now: datetime) -> float:
    """Reconcile a date; how long it took."""
    began = time.monotonic()
    await reconciliation.reconcile(db, at.date(), now=now)
    return time.monotonic() - began


async def nothing_is_open(owner: asyncpg.Connection) -> None:
    left = await owner.fetchval(
        "SELECT (SELECT count(*) FROM reserves.open_line) + (SELECT count(*) FROM reserves.open_journal)"
    )
    if left:
        raise RuntimeError(f"{left} rows and journals are open after the reconciliation, though all match")


_LINES = """
    WITH line AS (
        INSERT INTO stripe_line (transaction_id, version, type, category, balance_type, amount, fee, net,
            currency, source_id, made_at, available_at, expected, is_before, noted_at, day, counted)
        SELECT 'txn_' || name, 1, type, type, 'payments', amount, fee, amount - fee, 'USD', 'src_' || name,
            at, at + interval '2 days', CASE type WHEN 'charge'
                THEN ARRAY['charge:src_' || name, 'charge-fee:txn_' || name] ELSE '{}' END,
            false, at, (at AT TIME ZONE 'UTC')::date, amount - fee
        FROM made RETURNING transaction_id, day, counted
    ), opened AS (
        INSERT INTO open_line SELECT transaction_id FROM line
    )
    INSERT INTO day_total (currency, day, stripe, books)
    SELECT 'USD', day, sum(counted), 0 FROM line GROUP BY day
    ON CONFLICT (currency, day) DO UPDATE SET stripe = day_total.stripe + excluded.stripe
"""
_JOURNALS = """
    WITH wanted AS (
        SELECT 'charge:src_' || name AS source, 'payment' AS event_type, -amount AS amount, at
        FROM made WHERE type = 'charge'
        UNION ALL SELECT 'charge-fee:txn_' || name, 'stripe_fee', fee, at FROM made WHERE type = 'charge'
        UNION ALL SELECT 'transfer:' || transfer_id, 'transfer', -amount, at FROM made WHERE type = 'transfer'
    ), journal AS (
        INSERT INTO book_line (journal_id, source, event_type, currency, amount, at_stripe, parties,
            occurred_at, recorded_at, version, day)
        SELECT gen_random_uuid(), source, event_type, 'USD', amount, true, '{}', at, at, 1,
               (at AT TIME ZONE 'UTC')::date
        FROM wanted RETURNING journal_id, source, currency, amount, day
    ), opened AS (
        INSERT INTO open_journal SELECT journal_id, source, currency, amount, day FROM journal
    )
    INSERT INTO day_total (currency, day, stripe, books)
    SELECT 'USD', day, 0, -sum(amount) FROM journal GROUP BY day
    ON CONFLICT (currency, day) DO UPDATE SET books = day_total.books + excluded.books
"""
_MADE = """
    CREATE TEMP TABLE made AS
    SELECT $1 || '_' || n AS name, $3::timestamptz + ($4::timestamptz - $3) * (n::float8 / $2) AS at,
           gen_random_uuid() AS transfer_id,
           CASE n % 2 WHEN 0 THEN 'charge' ELSE 'transfer' END AS type,
           CASE n % 2 WHEN 0 THEN 10000 + n % 5000 ELSE -(8000 + n % 5000) END AS amount,
           CASE n % 2 WHEN 0 THEN 320 ELSE 0 END AS fee
    FROM generate_series(1, $2::int) AS n
"""


async def write(owner: asyncpg.Connection, name: str, rows: int, since: datetime, until: datetime) -> None:
    """Write rows of Stripe's balance and their journals between two instants, none matched."""
    await owner.execute("SET search_path = reserves, pg_temp")
    await owner.execute("DROP TABLE IF EXISTS made")
    await owner.execute(_MADE, name, rows, since, until, timeout=600)
    await owner.execute(
        "INSERT INTO sent_transfer SELECT 'src_' || name, transfer_id FROM made WHERE type = 'transfer'",
        timeout=600,
    )
    await owner.execute(_LINES, timeout=600)
    await owner.execute(_JOURNALS, timeout=600)
    for table in ("stripe_line", "book_line", "open_line", "open_journal", "sent_transfer"):
        await owner.execute(f"ANALYZE {table}", timeout=600)


async def join(owner: asyncpg.Connection) -> float:
    """What plain SQL needs to compare two tables that are prepared: their rows by one id, and their sums."""
    await owner.execute("CREATE TABLE theirs AS SELECT name, amount - fee AS net FROM made", timeout=600)
    await owner.execute("CREATE TABLE ours AS SELECT name, amount - fee AS net FROM made", timeout=600)
    for table in ("theirs", "ours"):
        await owner.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (name)", timeout=600)
        await owner.execute(f"ANALYZE {table}", timeout=600)
    began = time.monotonic()
    await owner.fetchval(
        "SELECT count(*) FROM theirs FULL OUTER JOIN ours USING (name) "
        "WHERE theirs.net IS DISTINCT FROM ours.net",
        timeout=600,
    )
    took = time.monotonic() - began
    await owner.execute("DROP TABLE theirs, ours")
    return took
