"""Which transfers a payout carried, when some money was taken back after it reached the bank."""

import random
from typing import Any

import pytest

from tests.integration.payouts.clawback_world import paid, unbroken
from tests.integration.payouts.test_webhooks import deliver, reverse_by_hand
from tests.integration.payouts.world import World

__all__ = ["unbroken"]
pytestmark = pytest.mark.usefixtures("unbroken")


async def parts(world: World) -> list[int]:
    rows = await world.rows(
        "SELECT part.amount FROM payout_part AS part JOIN payout USING (stripe_payout_id)"
        " JOIN transfer ON transfer.id = part.transfer_id ORDER BY made_at, part.amount"
    )
    return [row.amount for row in rows]


async def settle(world: World, account: str) -> None:
    """Stripe pays out what the account holds, and tells of it; what follows happens later."""
    payout = world.control.trigger("payout.created", account=account)
    world.control.trigger("payout.paid", payout=payout["id"])
    await deliver(world, "payout.paid")
    world.control.advance(2)


async def send(world: World, amount: int, source: str) -> None:
    await world.journal("instructor:i1", amount, source=source)
    await world.work()


async def first_of(world: World) -> str:
    [transfer] = [t for t in await world.transfers() if t.cause == "flight:A1:1"]
    return str(transfer.stripe_transfer_id)


async def given_taken_back(world: World) -> str:
    """An account whose 700 are in the bank; then 500 are sent, and 200 of the 700 taken back by hand."""
    await paid(world, 700)
    account = await world.account_of("i1")
    await settle(world, account)
    await send(world, 500, "flight:A2:1")
    await reverse_by_hand(world, await first_of(world), 200)
    return account


async def test_money_that_was_taken_back_from_the_bank_goes_off_the_next_payout(world: World) -> None:
    account = await given_taken_back(world)
    await deliver(world, "transfer.reversed")
    await world.work()
    world.control.advance(2)
    await settle(world, account)
    assert sorted(await world.states()) == ["in_bank", "partly_reversed"]
    assert await parts(world) == [700, -200, 500]
    assert [s["amount"] for s in await world.published("payout.settled")] == [700, 300]
    second = (await world.transfers())[1].id
    assert (await world.published("payout.settled"))[1]["transfers"] == [str(second)]


async def test_a_reversal_that_is_noted_after_the_payout_goes_off_it_still(world: World) -> None:
    account = await given_taken_back(world)
    world.control.advance(2)
    await settle(world, account)
    assert sorted(await world.states()) == ["in_bank", "sent"]
    await deliver(world, "transfer.reversed")
    await world.work()
    assert sorted(await world.states()) == ["in_bank", "partly_reversed"]
    assert await parts(world) == [700, -200, 500]


async def test_a_payout_that_comes_back_gives_back_what_was_taken_off_it(world: World) -> None:
    account = await given_taken_back(world)
    await deliver(world, "transfer.reversed")
    await world.work()
    world.control.advance(2)
    payout = world.control.trigger("payout.created", account=account)
    world.control.trigger("payout.paid", payout=payout["id"])
    await deliver(world, "payout.paid")
    world.control.trigger("payout.failed", payout=payout["id"])
    await deliver(world, "payout.failed")
    assert await parts(world) == [700]
    assert sorted(await world.states()) == ["partly_reversed", "sent"]
    in_bank = await world.rows("SELECT amount FROM transfer WHERE in_bank_at IS NOT NULL")
    assert [row.amount for row in in_bank] == [700]


@pytest.mark.parametrize("seed", range(4))
async def test_all_that_an_account_was_sent_reaches_the_bank_in_the_end(world: World, seed: int) -> None:
    """Transfers, payouts and reversals by hand, told late, in any order: an empty account awaits nothing."""
    chance = random.Random(seed)
    await paid(world, 1_000)
    account, left, untold = await world.account_of("i1"), [1_000], list[dict[str, Any]]()
    for number in range(2, 14):
        world.control.advance(2)
        await send(world, amount := chance.randrange(300, 900), f"flight:A{number}:1")
        left.append(amount)
        if chance.random() < 0.5:
            payout = world.control.trigger("payout.created", account=account)
            world.control.trigger("payout.paid", payout=payout["id"])
        victim = chance.randrange(len(left))
        if chance.random() < 0.5 and left[victim] > 0 and await held(world, account) >= left[victim]:
            back = chance.choice([left[victim], chance.randrange(1, left[victim] + 1)])
            transfer = (await world.transfers())[victim]
            await reverse_by_hand(world, transfer.stripe_transfer_id, back)
            left[victim] -= back
        if chance.random() < 0.6:
            untold += [e for e in world.control.events() if e["type"] in ("payout.paid", "transfer.reversed")]
            chance.shuffle(untold)
            await tell(world, untold[: len(untold) // 2])
    world.control.advance(2)
    await settle(world, account)
    await deliver(world, "transfer.reversed", "payout.paid")
    await world.work()
    assert await held(world, account) == 0
    assert [t.amount - t.amount_reversed for t in await world.transfers()] == left
    waiting = await world.rows(
        "SELECT amount FROM transfer WHERE in_bank_at IS NULL AND amount > amount_reversed"
    )
    assert waiting == []


async def tell(world: World, events: list[dict[str, Any]]) -> None:
    for event in events:
        await world.webhook(
            event["type"], event["data"]["object"], account=event.get("account"), event_id=event["id"]
        )
    await world.work()


async def held(world: World, account: str) -> int:
    """What the simulated Stripe holds for an account, minor units."""
    balance = await world.client.balance(account)
    return sum(int(part["amount"]) for kind in ("available", "pending") for part in balance.body[kind])
