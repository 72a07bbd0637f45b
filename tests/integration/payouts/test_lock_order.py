"""Payees are locked in the order of their wallets, wherever their rows lie: two members never deadlock."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.payouts import handlers, store_payees
from tests.integration.ledger.test_concurrency import until_waiting
from tests.integration.payouts.world import World

FIRST, SECOND = "instructor:a", "instructor:b"
LOCK = "SELECT FROM payee WHERE wallet = $1 FOR UPDATE"


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url, server_settings={"search_path": "payouts"})
    yield connection
    await connection.close()


async def test_who_waits_for_a_payee_holds_none_that_comes_after_it(
    world: World, owner: asyncpg.Connection
) -> None:
    for wallet in (SECOND, FIRST):  # in the table the second lies before the first
        async with world.db.transaction() as tx:
            await store_payees.know(tx, [wallet])
    batch = [world.posted(wallet, 700) for wallet in (SECOND, FIRST)]
    async with owner.transaction():
        await owner.execute(LOCK, FIRST)
        owing = asyncio.create_task(handlers.owe_payees(world.db, batch, clock=world.clock))
        await until_waiting(owner)
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        await owner.execute(LOCK, SECOND)
    await owing
    assert len(await world.rows("SELECT * FROM payable")) == 2
