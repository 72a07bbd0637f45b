"""How fast a ledger worker posts, from Kafka to commit, compared with the same SQL without Hobbs."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import asyncpg

from bench import journals
from bench.figures import Figure, at_least, at_most
from bench.journals import Statement
from bench.servers import Deployment, deployed
from fleet.database import Database
from fleet.envelope import Record
from hobbs.local.stack import Stack
from hobbs.local.supervisor import tune_gc
from services.ledger import handlers
from services.ledger.app import BATCH_MAX

JOURNALS = 80_000
FIRST_JOURNALS = 4_000
WORKER_COUNTS = 1, 2, 4  # each twice, up and down again: a host that slows down slows all counts alike
JOINED_AFTER_S = 8.0  # a member learns of a new one with its next heartbeat, after 3 s at most
BARE_JOURNALS = 30_000
SINGLE_JOURNALS = 1_500
ENDS_WITHIN_S = 180.0


async def measure(stack: Stack) -> list[Figure]:
    """One worker, two and four, then down again; the bare loop; one transaction for each request."""
    runs = [
        (count, await from_kafka(stack, workers=count))
        for count in (*WORKER_COUNTS, *reversed(WORKER_COUNTS))
    ]
    by_count = {count: [run for workers, run in runs if workers == count] for count in WORKER_COUNTS}
    one = statistics.mean(rate for rate, _, _ in by_count[1])
    handler, bare, posting_alone = await without_kafka(stack)
    single, by_function = await one_transaction_each(stack), await posted_by_sql_function(stack)
    figures = [
        Figure(
            name="posting, Kafka to commit, one worker",
            value=one,
            unit="journals/s",
            limit=at_least(3_000),
            note=f"{JOURNALS:,} journals of three entries, all on platform:school; batches of ≤ {BATCH_MAX}; "
            f"from when its members have joined; {mean_of(by_count[1])}",
        ),
        Figure(
            name="posting, as a multiple of one transaction each",
            value=one / single,
            unit="times",
            limit=at_least(10),
            baseline=("the handler, a transaction for each request, journals/s", single),
        ),
        Figure(
            name="posting by SQL function, one connection",
            value=by_function,
            unit="journals/s",
            baseline=("posting, one worker", one),
            note="post_journal_with_locks(), a commit each: no inbox and no outbox",
        ),
        Figure(
            name="posting, as a share of the bare loop",
            value=one / bare,
            unit="of it",
            limit=at_least(0.5),
            baseline=("the handler's own SQL from prepared arrays, journals/s", bare),
            note=f"inbox and outbox included; without them the loop reaches {posting_alone:,.0f}/s",
        ),
        Figure(
            name="posting, the handler without Kafka",
            value=handler,
            unit="journals/s",
            baseline=("bare loop", bare),
            note="Records in memory to commit, in one process",
        ),
        Figure(
            name="posting, Kafka to Kafka, one worker",
            value=statistics.mean(published for _, published, _ in by_count[1]),
            unit="journals/s",
            note="until journal.posted of the last is on its topic",
        ),
    ]
    return figures + [
        figure
        for count in WORKER_COUNTS[1:]
        for figure in several_workers_figures(count, by_count[count], one)
    ]


def several_workers_figures(count: int, runs: Sequence[tuple[float, float, int]], one: float) -> list[Figure]:
    """The rate of several workers compared with one, and their deadlocks and failed batches."""
    return [
        Figure(
            name=f"posting, {count} workers on the same cores",
            value=statistics.mean(rate for rate, _, _ in runs),
            unit="journals/s",
            limit=at_least(one),
            baseline=("one worker", one),
            note=mean_of(runs),
        ),
        Figure(
            name=f"deadlocks and batches read again, {count} workers",
            value=sum(troubles for _, _, troubles in runs),
            unit="",
            limit=at_most(0),
        ),
    ]


def mean_of(runs: Sequence[tuple[float, float, int]]) -> str:
    return "mean of " + " and ".join(f"{rate:,.0f}" for rate, _, _ in runs)


async def from_kafka(stack: Stack, *, workers: int, shards: int = 1) -> tuple[float, float, int]:
    """Journals a second until commit, and until published; deadlocks and failed batches.

    The workers post some first, until all their consumers have joined: half of them are half as fast.
    """
    async with deployed(stack) as deployment, journals.producing(stack.kafka.bootstrap) as producer:
        prefix = deployment.fleet.topic_prefix
        await journals.produce(producer, prefix, journals.requests(FIRST_JOURNALS, seed=2, shards=shards))
        await asyncio.to_thread(partial(deployment.start, "ledger", count=workers))
        owner = await deployment.connect()
        try:
            await until_posted(owner, FIRST_JOURNALS)
            await asyncio.sleep(JOINED_AFTER_S)
            began = datetime.now(UTC)
            await journals.produce(producer, prefix, journals.requests(JOURNALS, shards=shards))
            await until_posted(owner, FIRST_JOURNALS + JOURNALS)
            rate = await steady_rate(owner, began)
            published_s = await until_published(owner, began)
            deadlocks: int = await owner.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
        finally:
            await owner.close()
        again = failed_batches(deployment)
    return rate, JOURNALS / published_s, deadlocks + again


async def posted(owner: asyncpg.Connection) -> int:
    """Journals posted so far, read from the version of the platform's wallet."""
    counted: int = await owner.fetchval(
        "SELECT coalesce(sum(version), 0)::bigint FROM ledger.balance WHERE wallet_id = ANY ("
        " ARRAY(SELECT id FROM ledger.wallet WHERE address LIKE 'platform:%'))"  # no join: no statistics yet
    )
    return counted


async def until_posted(owner: asyncpg.Connection, count: int) -> None:
    began = time.monotonic()
    while await posted(owner) < count:
        if time.monotonic() - began > ENDS_WITHIN_S:
            raise TimeoutError(f"{count} journals were not posted within {ENDS_WITHIN_S:g} s")
        await asyncio.sleep(0.5)


async def steady_rate(owner: asyncpg.Connection, since: datetime) -> float:
    """Journals a second between the first and the last tenth, while all workers are busy."""
    return float(await owner.fetchval(_STEADY_RATE, since))


_STEADY_RATE = """
    WITH journal AS MATERIALIZED (SELECT recorded_at FROM ledger.journal WHERE recorded_at >= $1),
    edge AS MATERIALIZED (  -- on tables never analyzed the plan would compute it for each journal
        SELECT percentile_disc(0.1) WITHIN GROUP (ORDER BY recorded_at) AS after,
               percentile_disc(0.9) WITHIN GROUP (ORDER BY recorded_at) AS before
        FROM journal
    )
    SELECT count(*) / extract(epoch FROM max(before) - max(after))
    FROM journal, edge WHERE recorded_at > after AND recorded_at <= before
"""


async def until_published(owner: asyncpg.Connection, since: datetime) -> float:
    """Wait for an empty outbox; returns the seconds since the first journal after `since` was recorded."""
    while await owner.fetchval("SELECT EXISTS (SELECT FROM ledger.outbox)"):  # noqa: ASYNC110 - its process
        await asyncio.sleep(0.02)
    return float(
        await owner.fetchval(
            "SELECT extract(epoch FROM clock_timestamp() - min(recorded_at)) FROM ledger.journal"
            " WHERE recorded_at >= $1",
            since,
        )
    )


def failed_batches(deployment: Deployment) -> int:
    log = deployment.fleet.folder / "logs" / "ledger.log"
    return log.read_text().count("batch failed and is read again")


async def without_kafka(stack: Stack) -> tuple[float, float, float]:
    """Journals a second: of the handler in this process, of its SQL alone, of its posting SQL alone."""
    tune_gc()  # as in a worker
    records = journals.requests(BARE_JOURNALS)
    batches = [records[i : i + BATCH_MAX] for i in range(0, len(records), BATCH_MAX)]
    async with deployed(stack) as deployment:
        db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
        with journals.recorded(db) as recording:
            await post_all(db, batches)
        await db.close()
    async with deployed(stack) as deployment:
        db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
        took = await post_all(db, batches)
        await db.close()
    bare = await replayed(stack, recording.transactions)
    posting = [
        [s for s in sent if "inbox" not in s[0] and "outbox" not in s[0]] for sent in recording.transactions
    ]
    return len(records) / took, len(records) / bare, len(records) / await replayed(stack, posting)


async def post_all(db: Database, batches: Sequence[Sequence[Record]]) -> float:
    began = time.monotonic()
    for batch in batches:
        await handlers.post_journals(db, batch)
    return time.monotonic() - began


async def replayed(stack: Stack, transactions: Sequence[Sequence[Statement]]) -> float:
    """Seconds that the recorded SQL takes on a new database, without Hobbs."""
    async with deployed(stack) as deployment:
        connection = await asyncpg.connect(
            deployment.fleet.database_url("ledger"), server_settings={"search_path": "ledger"}
        )
        try:
            return await journals.replay(connection, transactions)
        finally:
            await connection.close()


async def one_transaction_each(stack: Stack) -> float:
    """Journals a second when the handler gets one request at a time."""
    async with deployed(stack) as deployment:
        db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
        took = await post_all(db, [[record] for record in journals.requests(SINGLE_JOURNALS)])
        await db.close()
    return SINGLE_JOURNALS / took


async def posted_by_sql_function(stack: Stack) -> float:
    """Journals a second when each is posted by the SQL function and committed by itself."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        asked = [journals.sql_arguments(record) for record in journals.requests(SINGLE_JOURNALS)]
        began = time.monotonic()
        for arguments in asked:
            await owner.execute(
                "SELECT ledger.post_journal_with_locks(uuidv7(), $1, $2, $3, CAST($4 AS jsonb))", *arguments
            )
        took = time.monotonic() - began
        await owner.close()
    return len(asked) / took
