"""Whoever waits for a lock holds none that comes after it: that is why two members never deadlock."""

import asyncio
from contextvars import Context
from hashlib import sha256

from fleet.database import Database, Tx
from fleet.envelope import uuid7
from tests.integration.fleet.sample import Thing, effects, record_things
from tests.support.records import record

_ADMIT = "INSERT INTO inbox (event_key, payload_hash) VALUES (:key, :hash)"


async def test_events_are_admitted_in_the_order_of_their_keys_whatever_that_of_the_batch(
    database: Database,
) -> None:
    low, high = sorted((uuid7(), uuid7()))
    batch = [record("thing.happened", Thing(name=name), ce_id=k) for name, k in (("b", high), ("a", low))]
    async with database.transaction() as tx:
        await tx.execute(_ADMIT, key=low, hash=sha256(batch[1].value or b"").digest())
        other = asyncio.create_task(record_things(database, batch), context=Context())
        await until_one_waits(tx, other)
        await tx.execute("SET LOCAL lock_timeout = '5s'")
        await tx.execute(_ADMIT, key=high, hash=sha256(batch[0].value or b"").digest())
    assert await other == 0
    assert await effects(database) == {}


async def until_one_waits(tx: Tx, other: "asyncio.Task[int]") -> None:
    while not (await tx.one("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")).n:
        assert not other.done()
