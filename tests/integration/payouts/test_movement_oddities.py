"""Rows of the school's Stripe balance that are not as documented keep no other row from being booked."""

from tests.integration.payouts.balance_rows import journals, listed, opened
from tests.integration.payouts.world import World


async def test_an_odd_row_is_kept_apart_and_the_others_are_booked(world: World) -> None:
    await opened(world)
    odd = world.control.trigger("balance.moved", amount=-1_500)
    world.control.trigger("balance.moved", amount=-200)
    world.control.trigger("object.changed", object=odd["id"], fields={"net": -1_400})
    await listed(world)
    assert await journals(world) == ["stripe_account_fee"]
    [kept] = await world.rows("SELECT object_id, sentence FROM odd_object")
    assert kept.object_id == odd["id"]


async def test_a_row_that_changes_is_told_and_its_first_booking_stands(world: World) -> None:
    await opened(world)
    fee = world.control.trigger("balance.moved", amount=-1_500)
    await listed(world)
    world.control.trigger("object.changed", object=fee["id"], fields={"amount": -1_400, "net": -1_400})
    await listed(world)
    assert await journals(world) == ["stripe_account_fee"]
    [kept] = await world.rows("SELECT sentence FROM odd_object")
    assert "another amount" in kept.sentence


async def test_a_list_that_is_none_begins_anew(world: World) -> None:
    await opened(world)
    movements = world.movements()
    listing = await movements.begin()
    assert listing is not None
    assert await movements.note(listing, {"data": None}) is None
    assert len(await world.rows("SELECT * FROM odd_object")) == 1
    world.control.trigger("balance.moved", amount=-1_500)
    await listed(world)
    assert await journals(world) == ["stripe_account_fee"]
