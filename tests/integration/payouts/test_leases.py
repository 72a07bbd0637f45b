"""Who may work on an operation, and what must not be open meanwhile."""

import asyncio
from datetime import timedelta

import asyncpg

from tests.integration.payouts.test_relay import given_pending
from tests.integration.payouts.world import World

OPEN = (
    "SELECT pid FROM pg_stat_activity WHERE usename = 'hobbs_payouts' AND state LIKE 'idle in transaction%'"
)


async def test_what_another_relay_leases_is_not_claimed_before_its_lease_ends(world: World) -> None:
    await given_pending(world, payees=2)
    [first, second] = await world.relay().claim(100)
    assert await world.relay().claim(100) == []
    world.clock.moved += first.lease_until - world.clock() - timedelta(seconds=1)
    assert await world.relay().claim(100) == []
    world.clock.advance(seconds=2)
    assert {o.id for o in await world.relay().claim(100)} == {first.id, second.id}


async def test_no_transaction_is_open_while_stripe_thinks(world: World, owner_url: str) -> None:
    await given_pending(world, payees=1)
    world.control.add_fault("slow", path="/v1/transfers", delay_s=0.5)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    owner = await asyncpg.connect(owner_url)
    calling = asyncio.create_task(relay.call(claimed))
    seen = 0
    while not calling.done():
        assert await owner.fetch(OPEN) == []
        seen += 1
        await asyncio.sleep(0.005)  # Stripe's work has no event to wait for
    await owner.close()
    outcome = await calling
    assert outcome is not None
    assert outcome.verdict == "done"
    assert seen > 1
