"""Posting and reading in a ledger of ten million entries, compared with one of ten thousand.

The entries are written by SQL with the triggers off, as the worker would have written them: running balances,
versions, two years of instants, one flight in twenty reported hours late. Then the triggers are on again and
the worker continues; it would fail if a balance did not fit.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
    percentile,
    read_during,
)
from bench.servers import Deployment, deployed
from fleet.envelope import Record
from hobbs.local.stack import Stack

SMALL, LARGE = 10_000, PAST_ENTRIES
POSTED, TURNS = 40_000, 3
SLOW_QUERY_MS = 5.0
STEADY_PER_S, SHARES_PER_S, STEADY_S = 3_000, 20, 40


async def measure(stack: Stack) -> list[Figure]:
    """The posting rate at both sizes, and how long a reader waits at the larger one meanwhile."""
    async with at_size(stack, SMALL) as (small, _), at_size(stack, LARGE) as (large, filled_s):
        turns = [[await rate(ledger, seed=seed) for ledger in (small, large)] for seed in range(2, 2 + TURNS)]
        small.deployment.stop()
        at_once = journals.requests(POSTED, seed=11)
        busy = await read_during(large.deployment, post(large, at_once))
        steadily = journals.requests(STEADY_PER_S * STEADY_S, seed=12)
        steady = await read_during(large.deployment, post(large, steadily, per_s=STEADY_PER_S))
    at_small, at_large = (statistics.median(rates) for rates in zip(*turns, strict=True))
    shares = sorted(with_many / with_few for with_few, with_many in turns)
    return [
        Figure(
            name="posting with 10 million entries behind",
            value=statistics.median(shares),
            unit="of the rate at 10 thousand",
            limit=at_least(0.8),
            baseline=("at 10 thousand entries, journals/s", at_small),
            note=f"{at_large:,.0f} journals/s at 10 million; the median of {TURNS} turns, one at each size "
            f"({shares[0]:.2f} to {shares[-1]:.2f}); the past was written in {filled_s:.0f} s",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A deployment with a running ledger worker, and a connection as its owner."""

    deployment: Deployment
    owner: asyncpg.Connection


@asynccontextmanager
async def at_size(stack: Stack, entries: int) -> AsyncIterator[tuple[Ledger, float]]:
    """A ledger with `entries` entries whose worker has posted; and the seconds to write them."""
    async with deployed(stack) as deployment:
        ledger = Ledger(deployment=deployment, owner=await deployment.connect())
        try:
            began = time.monotonic()
            await write_past(ledger.owner, entries // 3)
            filled_s = time.monotonic() - began
            await asyncio.to_thread(partial(deployment.start, "ledger"))
            await post(ledger, journals.requests(POSTED, seed=1))
            yield ledger, filled_s
        finally:
            await ledger.owner.close()


async def rate(ledger: Ledger, *, seed: int) -> float:
    """Journals a second when all requests are there at once."""
    records = journals.requests(POSTED, seed=seed)
    began_at = datetime.now(UTC)
    await post(ledger, records)
    return await steady_rate(ledger.owner, began_at)


async def post(ledger: Ledger, records: Sequence[Record], *, per_s: int | None = None) -> None:
    """Have the worker post journals, all at once or `per_s` a second, and wait for the last."""
    there = await posted(ledger.owner)
    share = len(records) if per_s is None else per_s // SHARES_PER_S
    fleet = ledger.deployment.fleet
    async with journals.producing(fleet.kafka_bootstrap) as producer:
        began = time.monotonic()
        for number, first in enumerate(range(0, len(records), share)):
            await asyncio.sleep(max(began + number / SHARES_PER_S - time.monotonic(), 0.0))
            await journals.produce(producer, fleet.topic_prefix, records[first : first + share])
    await until_posted(ledger.owner, there + len(records))


async def write_past(owner: asyncpg.Connection, count: int) -> None:
    """Write `count` journals of three entries as the worker would, and the balances after them."""
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
    await owner.execute(_WARM)  # into memory, as after days of work: bulk writes bypass the buffers
    await owner.execute("CHECKPOINT")


_GUARDS = """
    SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS off,
           format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) AS on
    FROM pg_trigger
    WHERE tgrelid IN ('ledger.journal'::regclass, 'ledger.entry'::regclass, 'ledger.balance'::regclass)
      AND NOT tgisinternal AND tgenabled = 'A'
"""

# Building the indexes over all rows at once takes a tenth of the time.
_KEYS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS off,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid)) AS on
    FROM pg_constraint
    WHERE conrelid IN ('ledger.journal'::regclass, 'ledger.entry'::regclass) AND contype IN ('p', 'u')
    UNION ALL
    SELECT 'DROP INDEX entry_by_recorded_at', pg_get_indexdef('ledger.entry_by_recorded_at'::regclass)
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
    INSERT INTO entry (journal_id, position, wallet_id, currency, amount, version, balance_after,
                       occurred_at, recorded_at)
    SELECT journal.id, $5::int, wallet.id, 'USD',
           $4::bigint, (n - 1) / $3::int + 1, $4::bigint * ((n - 1) / $3::int + 1),
           journal.occurred_at, journal.recorded_at
    FROM generate_series(1, $1::int) AS n
    JOIN journal ON journal.id = CAST(lpad(to_hex(n), 12, '0') || '70008000000000000000' AS uuid)
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
