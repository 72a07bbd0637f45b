"""A restored database has forgotten what was taken back: Stripe shows it, and it is not taken again."""

import pytest

from services.payouts import handlers
from tests.integration.payouts.clawback_world import (
    DEBT,
    WALLET,
    answers,
    debts,
    later,
    owes,
    paid,
    taken_back,
    unbroken,
)
from tests.integration.payouts.snapshots import Backup
from tests.integration.payouts.test_adoption import adoption
from tests.integration.payouts.test_restored_money import settled
from tests.integration.payouts.world import World

__all__ = ["unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")


@pytest.mark.parametrize("days", [0, 2])
async def test_what_came_back_after_the_backup_is_found_and_not_taken_again(
    world: World, owner_url: str, days: int
) -> None:
    """Also when Stripe has forgotten the key of the request."""
    await paid(world, 8750)
    await owes(world, 1750)
    backup, asked = Backup(owner_url), world.asked_back(1750, DEBT, "flight:A1:1")
    await backup.make()
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert await answers(world) == [(1750, "done")]
    await backup.restore()
    await later(world, days=days)
    await settled(world, adoption(world))
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]
    assert await debts(world) == []


async def test_only_the_rest_is_taken_when_part_of_it_came_back_before(world: World, owner_url: str) -> None:
    await paid(world, 8750)
    account = await world.account_of("i1")
    world.control.fund(-7750, account=account)
    await owes(world, 1750)
    backup, asked = Backup(owner_url), world.asked_back(1750, DEBT)
    await backup.make()
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert taken_back(world) == [1000]
    await backup.restore()
    world.control.fund(7750, account=account)
    await settled(world, adoption(world))
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert taken_back(world) == [1000, 750]
    assert await answers(world) == [(1750, "done")]


async def test_a_rest_that_was_deducted_after_the_backup_is_neither_deducted_nor_taken_again(
    world: World, owner_url: str
) -> None:
    """1000 came back and 750 were deducted of the next transfer; the journals are read again in any order."""
    await paid(world, 8750)
    world.control.fund(-7750, account=await world.account_of("i1"))
    backup, asked = Backup(owner_url), world.asked_back(1750, DEBT)
    await backup.make()
    debt = world.posted(WALLET, -1750, source=DEBT, event_type="adjustment")
    flight = world.posted(WALLET, 3000, source="flight:A2:1")
    await world.hand(debt)
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    await world.hand(flight)
    await world.work()
    assert (taken_back(world), world.paid()) == ([1000], [8750, 2250])
    await backup.restore()
    started = adoption(world)
    await settled(world, started)
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.hand(flight, debt)
    for _ in range(3):
        await settled(world, started)
        world.clock.advance(minutes=1)
    assert (taken_back(world), world.paid()) == ([1000], [8750, 2250])
    assert (await answers(world), sum(await debts(world))) == ([(1000, "already_deducted")], 0)
    await world.earned("i1", 5000)
    await settled(world, started)
    assert sum(world.paid()) - sum(taken_back(world)) == 8750 + 3000 + 5000 - 1750
