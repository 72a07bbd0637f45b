"""Money is taken back while something else happens to it: another claw-back, a payout, a hole at Stripe."""

import pytest

from services.payouts.domain.operations import Kind
from tests.integration.payouts.clawback_world import (
    DEBT,
    answers,
    debts,
    owes,
    paid,
    taken_back,
    unbroken,
)
from tests.integration.payouts.world import World

__all__ = ["unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")
OTHER = "adjustment:A1:3"


async def test_two_reversals_of_one_transfer_at_once_take_no_more_than_it_has(world: World) -> None:
    """Two processes look at Stripe at the same time, each for a request of its own."""
    await paid(world, 1000)
    await owes(world, 800)
    await owes(world, 700, OTHER)
    await world.ask_back(800, DEBT, "flight:A1:1")
    await world.ask_back(700, OTHER, "flight:A1:1")
    one, other = world.clawbacks(), world.clawbacks()
    await one.step()
    await other.step()
    assert [o.amount for o in await world.operations(Kind.REVERSAL)] == [800]
    await at_rest(world)
    assert taken_back(world) == [800, 200]
    assert sorted(await answers(world)) == [(200, "nothing_sent"), (800, "done")]
    assert await debts(world) == [-500]


async def test_a_payout_that_takes_the_money_first_leaves_a_debt(world: World) -> None:
    """Stripe pays the account out between our look at it and our request, which it refuses."""
    await paid(world, 8750)
    account = await world.account_of("i1")
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    assert [o.amount for o in await world.operations(Kind.REVERSAL)] == [1750]
    world.control.fund(-8750, account=account)
    await at_rest(world)
    assert taken_back(world) == []
    assert await answers(world) == [(0, "short")]
    assert await debts(world) == [-1750]
    await world.earned("i1", 3000)
    await at_rest(world)
    assert world.paid() == [8750, 1250]


async def test_money_that_comes_back_from_a_failed_payout_is_not_taken_twice(world: World) -> None:
    """The debt was deducted meanwhile; asked again, nothing of it is open."""
    await paid(world, 8750)
    account = await world.account_of("i1")
    await owes(world, 1750)
    world.control.fund(-8750, account=account)
    await world.ask_back(1750, DEBT)
    await at_rest(world)
    await world.earned("i1", 3000)
    await at_rest(world)
    world.control.fund(8750, account=account)
    await world.ask_back(1750, DEBT)
    await at_rest(world)
    assert (taken_back(world), world.paid()) == ([], [8750, 1250])
    assert await answers(world) == [(0, "short"), (0, "already_deducted")]


async def test_an_account_that_turns_negative_before_the_request_gives_nothing_back(world: World) -> None:
    """A dispute of the payee's own, or Stripe's fee, took more than it had after we looked."""
    await paid(world, 8750)
    account = await world.account_of("i1")
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    await turn_negative(world, account, 9000)
    await at_rest(world)
    assert taken_back(world) == []
    assert await answers(world) == [(0, "short")]
    assert await debts(world) == [-1750]


async def test_what_is_held_for_a_negative_account_is_netted_before_it_leaves(world: World) -> None:
    """Nothing is sent into the hole; once it is filled, the debt is deducted."""
    await paid(world, 8750)
    account = await world.account_of("i1")
    await turn_negative(world, account, 9000)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(0, "short")]
    await world.earned("i1", 3000)
    await world.work()
    held = (await world.transfers())[-1]
    assert (held.state, held.reason, held.amount) == ("held", "account_negative", 3000)
    world.control.fund(9000, account=account)
    world.clock.advance(minutes=10)
    await world.work()
    assert (taken_back(world), world.paid()) == ([], [8750, 1250])


async def test_a_reversal_leaves_as_much_as_is_there_and_the_account_at_zero(world: World) -> None:
    await paid(world, 8750)
    account = await world.account_of("i1")
    world.control.fund(-7000, account=account)
    await owes(world, 8750)
    await world.ask_back(8750, DEBT)
    await at_rest(world)
    assert taken_back(world) == [1750]
    [now] = [one for one in world.control.state()["accounts"] if one["id"] == account]
    assert now["balance"]["available"] == {"usd": 0}
    assert await debts(world) == [-7000]


async def turn_negative(world: World, account: str, taken: int) -> None:
    world.control.fund(-taken, account=account)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)


async def at_rest(world: World) -> None:
    """Everything that waits for a second or for another request is done, too."""
    for _ in range(3):
        world.clock.advance(seconds=31)
        await world.work()
