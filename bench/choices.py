"""`python -m bench.choices`: measures the rejected ways of posting beside the chosen one.

Not part of `make bench`: it repeats the measurements behind docs/decisions/0093.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import asyncpg
import uvloop

from bench import figures, journals
from bench.figures import Figure
from bench.journals import Statement
from bench.posting import from_kafka, post_all, replayed
from bench.servers import deployed, running_servers
from fleet.database import Database
from hobbs.local.stack import Stack
from hobbs.local.supervisor import tune_gc
from services.ledger.app import BATCH_MAX

JOURNALS = 20_000
BATCHES = (50, 100, 250, 500, 1_000, 2_000)
SHARDS = 8

Choice = Callable[[Stack], Awaitable[list[Figure]]]


async def measure(stack: Stack) -> list[Figure]:
    """Every choice in turn; rates are in journals a second unless named otherwise."""
    tune_gc()
    found: list[Figure] = []
    for choice in CHOICES:
        asked = await choice(stack)
        figures.show(asked, choice.__name__)
        found += asked
    return found


def rate(name: str, value: float, chosen: float | None = None, note: str = "") -> Figure:
    base = None if chosen is None else ("as chosen", chosen)
    return Figure(name=name, value=value, unit="journals/s", baseline=base, note=note)


async def batch_size(stack: Stack) -> list[Figure]:
    """The handler in this process, with batches of other sizes."""
    return [rate(f"batches of {size}", await handled(stack, size)) for size in BATCHES]


async def handled(stack: Stack, size: int) -> float:
    records = journals.requests(JOURNALS)
    batches = [records[i : i + size] for i in range(0, len(records), size)]
    async with deployed(stack) as deployment:
        db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
        took = await post_all(db, batches)
        await db.close()
    return len(records) / took


async def recording(stack: Stack) -> list[list[Statement]]:
    """The statements that the handler sends for the journals, in batches of the chosen size."""
    records = journals.requests(JOURNALS)
    batches = [records[i : i + BATCH_MAX] for i in range(0, len(records), BATCH_MAX)]
    async with deployed(stack) as deployment:
        db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
        with journals.recorded(db) as made:
            await post_all(db, batches)
        await db.close()
    return made.transactions


async def inserting_rows(stack: Stack) -> list[Figure]:
    """The bare loop: arrays and unnest, or COPY into temporary tables and one INSERT from them."""
    sent = await recording(stack)
    chosen = JOURNALS / await replayed(stack, sent)
    copied = await with_owner(stack, partial(replay_with_copy, transactions=sent))
    unprepared = await with_owner(stack, partial(replay, transactions=sent), statement_cache_size=0)
    return [
        rate("bare loop: arrays, unnest, prepared", chosen),
        rate("bare loop: COPY to temporary tables", JOURNALS / copied, chosen),
        rate("bare loop: statements not prepared", JOURNALS / unprepared, chosen),
    ]


async def moving_balances(stack: Stack) -> list[Figure]:
    """The bare loop: triggers that check and move, or an UPDATE by the worker and no check at all."""
    sent = await recording(stack)
    chosen = JOURNALS / await replayed(stack, sent)
    stated = await with_owner(stack, partial(replay_with_update, transactions=sent))
    return [
        rate("bare loop: triggers check and move balances", chosen),
        rate("bare loop: an UPDATE moves balances, nothing checks", JOURNALS / stated, chosen),
    ]


async def commit_settings(stack: Stack) -> list[Figure]:
    """The bare loop under other server settings."""
    sent = await recording(stack)
    chosen = JOURNALS / await replayed(stack, sent)
    found = [rate("bare loop: fsync, no commit delay", chosen)]
    for name, setting in (
        ("commit_delay 1 ms", {"commit_delay": "1000", "commit_siblings": "0"}),
        ("synchronous_commit off (loses the newest on a power cut)", {"synchronous_commit": "off"}),
    ):
        took = await with_owner(stack, partial(replay, transactions=sent), server_settings=setting)
        found.append(rate(f"bare loop: {name}", JOURNALS / took, chosen))
    return found


async def one_platform_wallet(stack: Stack) -> list[Figure]:
    """Two workers from Kafka: all journals on one platform wallet, or on one of eight."""
    one, _, _ = await from_kafka(stack, workers=2)
    eight, _, _ = await from_kafka(stack, workers=2, shards=SHARDS)
    return [
        rate("two workers, one platform wallet", one),
        rate(f"two workers, {SHARDS} platform wallets", eight, one),
    ]


async def event_loop(stack: Stack) -> list[Figure]:
    """The handler on uvloop and on asyncio's own loop, each in a thread of its own."""

    def on(run: Callable[..., float]) -> float:
        return run(handled(stack, BATCH_MAX))

    fast = await asyncio.to_thread(on, uvloop.run)
    plain = await asyncio.to_thread(on, asyncio.run)
    return [rate("handler on uvloop", fast), rate("handler on asyncio's loop", plain, fast)]


async def with_owner(
    stack: Stack,
    replaying: Callable[[asyncpg.Connection], Awaitable[float]],
    *,
    statement_cache_size: int = 100,
    server_settings: dict[str, str] | None = None,
) -> float:
    """Call `replaying` with a connection as the owner of a new database; returns its seconds."""
    async with deployed(stack) as deployment:
        connection = await asyncpg.connect(
            deployment.fleet.owner_url,
            statement_cache_size=statement_cache_size,
            server_settings={"search_path": "ledger", **(server_settings or {})},
        )
        try:
            return await replaying(connection)
        finally:
            await connection.close()


async def replay(connection: asyncpg.Connection, *, transactions: Sequence[Sequence[Statement]]) -> float:
    return await journals.replay(connection, transactions)


async def replay_with_copy(
    connection: asyncpg.Connection, *, transactions: Sequence[Sequence[Statement]]
) -> float:
    """Insert the same journals and entries through COPY; returns seconds."""
    for statement in _COPY_TABLES:
        await connection.execute(statement)
    began = time.monotonic()
    for statements in transactions:
        await connection.execute("BEGIN")
        for sql, params in statements:
            if not is_posting(sql):
                await send(connection, sql, params)
                continue
            await connection.copy_records_to_table("journal_in", records=list(zip(*params[:8], strict=True)))
            await connection.copy_records_to_table("entry_in", records=entry_rows(params))
            await connection.fetch(_INSERT_COPIED)
        await connection.execute("COMMIT")
    return time.monotonic() - began


async def replay_with_update(
    connection: asyncpg.Connection, *, transactions: Sequence[Sequence[Statement]]
) -> float:
    """Insert the same rows without triggers, and UPDATE the balances instead; returns seconds."""
    for table in ("journal", "entry", "balance"):
        for guard in await connection.fetch(_GUARDS_OFF, table):
            await connection.execute(guard["off"])
    began = time.monotonic()
    for statements in transactions:
        await connection.execute("BEGIN")
        for sql, params in statements:
            await send(connection, sql, params)
            if is_posting(sql):
                await connection.fetch(_MOVE_BALANCES, *params[10:15])
        await connection.execute("COMMIT")
    return time.monotonic() - began


def entry_rows(params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The entries of a posting statement, each with its journal's id and instant."""
    ids, occurred = params[0], params[3]
    numbers, *columns = [
        [int(number) for number in column[1:-1].split(",")] if isinstance(column, str) else column
        for column in params[8:]
    ]
    return [
        (ids[number - 1], occurred[number - 1], *row) for number, *row in zip(numbers, *columns, strict=True)
    ]


def is_posting(sql: str) -> bool:
    return "INSERT INTO journal (" in sql


async def send(connection: asyncpg.Connection, sql: str, params: Sequence[object]) -> None:
    if params:
        await connection.fetch(sql, *params)
    else:
        await connection.execute(sql)


_COPY_TABLES = (
    """
    CREATE TEMPORARY TABLE journal_in (
        id uuid, source text, event_type text, occurred_at timestamptz, entry_count smallint,
        content_hash bytea, memo text, request_event_id uuid) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMPORARY TABLE entry_in (
        journal_id uuid, occurred_at timestamptz, position smallint, wallet_id bigint, currency text,
        amount bigint, balance_after bigint, version bigint) ON COMMIT DELETE ROWS
    """,
)

_INSERT_COPIED = """
    WITH posted AS (
        INSERT INTO journal (id, source, event_type, occurred_at, entry_count, content_hash, memo,
                             request_event_id)
        SELECT * FROM journal_in RETURNING recorded_at
    ), written AS (
        INSERT INTO entry (journal_id, occurred_at, position, wallet_id, currency, amount, balance_after,
                           version)
        SELECT * FROM entry_in
    )
    SELECT max(recorded_at) FROM posted
"""

_GUARDS_OFF = """
    SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS off
    FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal
"""

_MOVE_BALANCES = """
    UPDATE balance SET amount = last.balance_after, version = last.version
    FROM (SELECT DISTINCT ON (wallet_id, currency) wallet_id, currency, version, balance_after
          FROM unnest($1::text::bigint[], $2::text[], $3::text::bigint[], $4::text::bigint[],
                      $5::text::bigint[])
               AS entry (wallet_id, currency, amount, balance_after, version)
          ORDER BY wallet_id, currency, version DESC) AS last
    WHERE balance.wallet_id = last.wallet_id AND balance.currency = last.currency
"""

CHOICES: tuple[Choice, ...] = (
    batch_size,
    inserting_rows,
    moving_balances,
    commit_settings,
    event_loop,
    one_platform_wallet,
)


def main() -> int:
    with running_servers() as stack:
        figures.show(uvloop.run(measure(stack)), f"{figures.machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
