"""Posting and reading with ten million entries behind, beside ten thousand.

The past is written by SQL with the guards off, as the worker would have written it: running balances,
versions, two years of instants, one flight in twenty reported hours late. Then the guards are on again and
the worker continues it; it would refuse if a balance did not fit.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import uvloop

from bench import journals
from bench.figures import Figure, at_least, at_most
from bench.posting import posted, steady_rate, until_posted
from bench.servers import Deployment, deployed
from fleet.database import Database, Tx
from hobbs.local.stack import Stack
from services.ledger import statements

SMALL, LARGE = 10_000, 10_000_000
POSTED = 40_000
PAST_DAYS = 730
STUDENTS, INSTRUCTORS = 20_000, 1_000
QUERY_EVERY_S = 0.01
SLOW_QUERY_MS = 5.0
READERS_URL = "HOBBS_BENCH_READERS_URL"
STEADY_PER_S, SHARES_PER_S = 3_000, 4

Query = Callable[[Tx, random.Random], Awaitable[object]]
Waits = dict[str, list[float]]


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
                baseline=("while both cores post all they can, ms", percentile(busy[name], 0.99)),
                note=f"10 million entries; median {percentile(found, 0.5):.2g} ms of {len(found)}, "
                f"and {percentile(busy[name], 0.5):.2g} ms of {len(busy[name])}",
            )
            for name, found in steady.items()
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


async def read_during(deployment: Deployment, posting: Awaitable[None]) -> Waits:
    """Ask from a process of its own, as a reader would: in this one it would wait for the producer."""
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.growth"),
        env={**os.environ, READERS_URL: deployment.fleet.database_url("ledger")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await posting
    told, _ = await reader.communicate(b"")
    waits: Waits = json.loads(told)
    return waits


async def answer_until_told() -> Waits:
    """The reader's process: ask until standard input ends."""
    told = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    return await read_until(told, os.environ[READERS_URL])


async def post(
    deployment: Deployment, owner: asyncpg.Connection, *, seed: int, per_s: int | None = None
) -> None:
    """Have the worker post more journals, all at once or so many a second, and wait for the last."""
    there = await posted(owner)
    records = journals.requests(POSTED, seed=seed)
    began = time.monotonic()
    share = POSTED if per_s is None else per_s // SHARES_PER_S
    for number, first in enumerate(range(0, POSTED, share)):
        await asyncio.sleep(max(began + number / SHARES_PER_S - time.monotonic(), 0.0))
        await journals.produce(
            deployment.fleet.kafka_bootstrap, deployment.fleet.topic_prefix, records[first : first + share]
        )
    if not deployment.workers:
        await asyncio.to_thread(partial(deployment.start, "ledger"))
    await until_posted(owner, there + POSTED)


async def read_until(told: asyncio.Task[str], url: str) -> Waits:
    """Ask each question in turn, every few milliseconds, until told; how long each took, ms."""
    waits: Waits = {name: [] for name in QUESTIONS}
    dice = random.Random(7)
    db = Database(url, schema="ledger", pool_size=1)
    while not told.done():
        for name, ask in QUESTIONS.items():
            async with db.transaction() as tx:
                began = time.perf_counter()
                await ask(tx, dice)
                waits[name].append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(QUERY_EVERY_S)
    await db.close()
    return waits


async def ask_balance(tx: Tx, dice: random.Random) -> object:
    return await statements.list_balances(tx, wallet=any_wallet(dice))


async def ask_page(tx: Tx, dice: random.Random) -> object:
    """Fifty lines of the platform's statement, anywhere in its history."""
    before = dice.randrange(100, LARGE // 3)
    return await statements.statement(tx, "platform:school", "USD", before=before)


async def ask_history(tx: Tx, dice: random.Random) -> object:
    """What a wallet held at an instant of the past two years, as known by another one after it."""
    at = datetime.now(UTC) - timedelta(days=dice.uniform(0, PAST_DAYS))
    known = None if dice.random() < 0.5 else at + timedelta(days=dice.uniform(0, 30))
    return await statements.balances_at(
        tx, wallet=any_wallet(dice), kind=None, occurred_by=at, known_by=known
    )


QUESTIONS: dict[str, Query] = {"balance": ask_balance, "statement page": ask_page, "history": ask_history}


def any_wallet(dice: random.Random) -> str:
    """One with millions of entries, some thousands, or some hundreds."""
    instructor, student = dice.randrange(INSTRUCTORS), dice.randrange(STUDENTS)
    return dice.choice(["platform:school", f"instructor:past-{instructor}", f"student:past-{student}"])


def percentile(found: list[float], share: float) -> float:
    return sorted(found)[min(int(len(found) * share), len(found) - 1)]


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
    await owner.execute(_PAST_BALANCES, timeout=300)
    for change in (*keys, *guards):
        await owner.execute(change["on"], timeout=300)
    await owner.execute("INSERT INTO timer (name, due_at) VALUES ('extend_chain', 'infinity')")
    await owner.execute("VACUUM (ANALYZE, FREEZE) journal")
    await owner.execute("VACUUM (ANALYZE, FREEZE) entry")
    await owner.execute("VACUUM (ANALYZE) balance")
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

_PAST_BALANCES = """
    UPDATE balance SET amount = last.balance_after, version = last.version
    FROM (SELECT DISTINCT ON (wallet_id) wallet_id, version, balance_after FROM entry
          ORDER BY wallet_id, version DESC) AS last
    WHERE balance.wallet_id = last.wallet_id
"""


if __name__ == "__main__":
    json.dump(uvloop.run(answer_until_told()), sys.stdout)
