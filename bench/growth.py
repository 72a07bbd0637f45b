"""Posting and reading with ten million entries behind, beside ten thousand.

The past is written by SQL with the guards off, as the worker would have written it: running balances,
versions, two years of instants, one flight in twenty reported hours late. Then the guards are on again and
the worker continues it; it would refuse if a balance did not fit.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from bench import journals
from bench.figures import Figure, at_least, at_most
from bench.posting import posted, steady_rate, until_posted
from bench.readers import (
    INSTRUCTORS,
    NOTHING,
    PAST_DAYS,
    PAST_ENTRIES,
    STUDENTS,
    Waits,
    percentile,
    read_during,
)
from bench.servers import Deployment, deployed
from hobbs.local.stack import Stack

SMALL, LARGE = 10_000, PAST_ENTRIES
POSTED = 40_000
SLOW_QUERY_MS = 5.0
STEADY_PER_S, SHARES_PER_S, STEADY_S = 3_000, 20, 25


async def measure(stack: Stack) -> list[Figure]:
    """The posting rate at both sizes, and what a reader waits at the larger while the worker posts."""
    small, _, _ = await at_size(stack, SMALL)
    large, waits, filled_s = await at_size(stack, LARGE)
    busy, steady = waits
    return [
        Figure(
            name="posting with 10 million entries behind",
            value=large / small,
            unit="of the rate at 10 thousand",
            limit=at_least(0.8),
            baseline=("at 10 thousand entries, journals/s", small),
            note=f"{large:,.0f} journals/s at 10 million; the past was written in {filled_s:.0f} s",
        ),
        *(
            Figure(
                name=f"{name}, 99th percentile while {STEADY_PER_S:,}/s are posted",
                value=percentile(found, 0.99),
                unit="ms",
                limit=at_most(SLOW_QUERY_MS),
                baseline=(f"{NOTHING} beside it, ms", percentile(steady[NOTHING], 0.99)),
                note=f"10 million entries; median {percentile(found, 0.5):.2g} ms of {len(found)}; "
                f"while both cores post all they can {percentile(busy[name], 0.99):.3g} ms, median "
                f"{percentile(busy[name], 0.5):.2g} ms",
            )
            for name, found in steady.items()
            if name != NOTHING
        ),
    ]


async def at_size(stack: Stack, entries: int) -> tuple[float, list[Waits], float]:
    """Journals a second with so many entries behind; query times, ms, under full and under steady posting;
    seconds to write the past.
    """
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        try:
            began = time.monotonic()
            await write_past(owner, entries // 3)
            filled_s = time.monotonic() - began
            began_at = datetime.now(UTC)
            await post(deployment, owner, seed=1)
            rate = await steady_rate(owner, began_at)
            waits = [
                await read_during(deployment, post(deployment, owner, seed=2)),
                await read_during(deployment, post(deployment, owner, seed=3, per_s=STEADY_PER_S)),
            ]
            return rate, waits, filled_s
        finally:
            await owner.close()


async def post(
    deployment: Deployment, owner: asyncpg.Connection, *, seed: int, per_s: int | None = None
) -> None:
    """Have the worker post more journals, all at once or so many a second, and wait for the last."""
    there = await posted(owner)
    records = journals.requests(POSTED if per_s is None else per_s * STEADY_S, seed=seed)
    share = len(records) if per_s is None else per_s // SHARES_PER_S
    async with journals.producing(deployment.fleet.kafka_bootstrap) as producer:
        began = time.monotonic()
        for number, first in enumerate(range(0, len(records), share)):
            await asyncio.sleep(max(began + number / SHARES_PER_S - time.monotonic(), 0.0))
            await journals.produce(producer, deployment.fleet.topic_prefix, records[first : first + share])
    if not deployment.workers:
        await asyncio.to_thread(partial(deployment.start, "ledger"))
    await until_posted(owner, there + len(records))


async def write_past(owner: asyncpg.Connection, count: int) -> None:
    """Write `count` journals of three entries as if the worker had, and what they leave on the balances."""
    guards = await owner.fetch(_GUARDS)
    addresses = [
        "platform:school",
        *(f"student:past-{number}" for number in range(STUDENTS)),
        *(f"instructor:past-{number}" for number in range(INSTRUCTORS)),
    ]
    await owner.execute("SET search_path = ledger")
    await owner.execute(
        "SELECT open_balances($1, array_fill('USD'::text, array[cardinality($1::text[])]))", addresses
    )
    keys = await owner.fetch(_KEYS)
    for change in (*guards, *keys):
        await owner.execute(change["off"])
    await owner.execute("SET maintenance_work_mem = '1GB'")
    await owner.execute(_PAST_JOURNALS, count, timedelta(days=PAST_DAYS), timeout=300)
    for kind, wallets, amount in (
        ("student:past-", STUDENTS, -30_000),
        ("instructor:past-", INSTRUCTORS, 20_000),
    ):
        await owner.execute(_PAST_ENTRIES, count, kind, wallets, amount, 1 + (amount > 0), timeout=300)
    await owner.execute(_PAST_ENTRIES, count, "platform:school", 1, 10_000, 3, timeout=300)
    await owner.execute(_PAST_DISPLACED, timeout=300)
    await owner.execute(_PAST_BALANCES, timeout=300)
    for change in (*keys, *guards):
        await owner.execute(change["on"], timeout=300)
    await owner.execute("INSERT INTO timer (name, due_at) VALUES ('extend_chain', 'infinity')")
    await owner.execute("VACUUM (ANALYZE, FREEZE) journal")
    await owner.execute("VACUUM (ANALYZE, FREEZE) entry")
    await owner.execute("VACUUM (ANALYZE) balance")
    await owner.execute("VACUUM (ANALYZE, FREEZE) displaced_entry")
    await owner.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm SCHEMA public")
    await owner.execute(_WARM)  # in memory, as after some days of work: bulk writing passes the buffers by
    await owner.execute("CHECKPOINT")


_GUARDS = """
    SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS off,
           format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) AS on
    FROM pg_trigger
    WHERE tgrelid IN ('ledger.journal'::regclass, 'ledger.entry'::regclass, 'ledger.balance'::regclass)
      AND NOT tgisinternal AND tgenabled = 'A'
"""

# Built over all rows at once they take a tenth of the time.
_KEYS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS off,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid)) AS on
    FROM pg_constraint
    WHERE conrelid IN ('ledger.journal'::regclass, 'ledger.entry'::regclass) AND contype IN ('p', 'u')
"""

_PAST_JOURNALS = """
    INSERT INTO journal (id, source, event_type, occurred_at, recorded_at, entry_count, content_hash)
    SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000000' AS uuid), 'flight:past-' || n || ':1',
           'flight', at - CASE WHEN n % 20 = 0 THEN make_interval(hours => n % 48) ELSE '20 minutes' END,
           at, 3, sha256(CAST(CAST(n AS text) AS bytea))
    FROM (SELECT n, now() - $2::interval + n * ($2::interval / $1::int) AS at
          FROM generate_series(1, $1::int) AS n) AS flown
"""

# Journal n is the k-th of wallet n % wallets, so its version and running balance follow from n.
_PAST_ENTRIES = """
    INSERT INTO entry (journal_id, position, wallet_id, currency, amount, version, balance_after)
    SELECT CAST(lpad(to_hex(n), 12, '0') || '70008000000000000000' AS uuid), $5::int, wallet.id, 'USD',
           $4::bigint, (n - 1) / $3::int + 1, $4::bigint * ((n - 1) / $3::int + 1)
    FROM generate_series(1, $1::int) AS n
    JOIN wallet ON wallet.address
                 = $2::text || CASE WHEN $3::int = 1 THEN '' ELSE ((n - 1) % $3::int)::text END
    ORDER BY n
"""

_PAST_DISPLACED = """
    INSERT INTO displaced_entry (wallet_id, currency, version, amount, occurred_at, recorded_at)
    SELECT entry.wallet_id, entry.currency, entry.version, entry.amount,
           journal.occurred_at, journal.recorded_at
    FROM journal JOIN entry ON entry.journal_id = journal.id
    WHERE journal.recorded_at - journal.occurred_at > interval '1 hour'
"""

_WARM = """
    SELECT sum(public.pg_prewarm(oid)) FROM pg_class
    WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'i')
"""

_PAST_BALANCES = """
    UPDATE balance SET amount = last.balance_after, version = last.version
    FROM (SELECT DISTINCT ON (wallet_id) wallet_id, version, balance_after FROM entry
          ORDER BY wallet_id, version DESC) AS last
    WHERE balance.wallet_id = last.wallet_id
"""
