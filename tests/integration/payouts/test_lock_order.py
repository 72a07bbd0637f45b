"""A payee is locked before its money is computed, and payees in the order of their wallets."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import asyncpg
import pytest

from services.payouts import store
from tests.integration.ledger.test_concurrency import until_waiting
from tests.integration.payouts.test_relay import given_pending
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
            await store.payees.know(tx, [wallet])
    batch = [world.posted(wallet, 700) for wallet in (SECOND, FIRST)]
    async with owner.transaction():
        await owner.execute(LOCK, FIRST)
        owing = asyncio.create_task(world.hand(*batch))
        await until_waiting(owner)
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        await owner.execute(LOCK, SECOND)
    await owing
    assert len(await world.rows("SELECT * FROM payable")) == 2


async def waits_for_its_payee(owner: asyncpg.Connection, work: Coroutine[Any, Any, Any]) -> None:
    """Do the work while another transaction has the payee; it ends only when that one has ended."""
    async with owner.transaction():
        await owner.execute("SELECT FROM payee FOR NO KEY UPDATE")  # which no foreign key waits for
        working = asyncio.create_task(work)
        await until_waiting(owner)
        assert not working.done()
    await working


async def test_an_answer_is_recorded_under_its_payee_s_lock(world: World, owner: asyncpg.Connection) -> None:
    await given_pending(world, payees=1)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    outcome = await relay.call(claimed)
    assert outcome is not None
    await waits_for_its_payee(owner, relay.record([outcome]))
    assert await world.states() == ["sent"]


async def test_a_webhook_proves_under_its_payee_s_lock(world: World, owner: asyncpg.Connection) -> None:
    await given_pending(world, payees=1)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    await relay.call(claimed)
    [made] = [event for event in world.control.events() if event["type"] == "transfer.created"]
    await waits_for_its_payee(owner, world.handle(world.webhook_record(made["type"], made["data"]["object"])))
    assert await world.states() == ["sent"]
