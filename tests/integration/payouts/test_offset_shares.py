"""Debts of corrections, taken off at most at a share of each payment: the oldest first, to the cent."""

from typing import Any

import pytest

from schemas.school import SchoolChange
from tests.integration.payouts.clawback_world import DEBT, WALLET, debts, owes, taken_back, unbroken
from tests.integration.payouts.world import World

__all__ = ["unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")


@pytest.fixture(autouse=True)
async def payee(world: World) -> None:
    """A payee of whose payments at most a fifth is taken off."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    await takes(world, 20)


async def takes(world: World, percent: int | None, since: str = "2020-01-01") -> None:
    world.version += 1
    card = None if percent is None else {"offset_share_percent": percent}
    change = {"kind": "adjustments", "key": "adjustments", "effective_from": since, "new": card}
    await world.configure([SchoolChange.model_validate(change)])


async def earns(world: World, *amounts: int) -> None:
    for amount in amounts:
        await world.earned("i1", amount)
        await world.work()


async def told(world: World) -> list[tuple[list[str], list[Any]]]:
    """What each `transfer.sent` says of debts: those taken whole, and parts."""
    return [
        (
            [source for source in sent["sources"] if source.startswith("adjustment:")],
            [(part["source"], part["amount"]) for part in sent["parts"]],
        )
        for sent in await world.published("transfer.sent")
    ]


async def test_at_most_a_share_of_each_payment_is_taken_off_until_the_last_cent(world: World) -> None:
    await owes(world, 1_750)
    await earns(world, 5_000, 3_000, 2_000, 4_000)
    assert world.paid() == [4_000, 2_400, 1_850, 4_000]
    assert await debts(world) == []
    assert await told(world) == [
        ([], [(DEBT, 1_000)]),
        ([], [(DEBT, 600)]),
        ([DEBT], []),
        ([], []),
    ]


async def test_a_transfer_says_how_much_of_a_debt_it_took(world: World) -> None:
    """Also of what is left beside a claim: the last cent of that is not the debt."""
    await owes(world, 1_750)
    await earns(world, 5_000, 3_000, 2_000)
    every = [sent["deducted"] for sent in await world.published("transfer.sent")]
    assert every == [[], [], [{"source": DEBT, "amount": 150}]]


async def test_the_oldest_debt_comes_first_and_payments_of_one_decision_share_it(world: World) -> None:
    await owes(world, 700)
    world.clock.advance(seconds=1)
    await owes(world, 900, "adjustment:A2:2")
    await world.earned("i1", 5_000, 2_000, 2_000)
    await world.work()
    assert world.paid() == [4_000, 1_600, 1_800]
    assert await told(world) == [
        ([DEBT], [("adjustment:A2:2", 300)]),
        ([], [("adjustment:A2:2", 400)]),
        (["adjustment:A2:2"], []),
    ]


async def test_without_a_card_or_with_all_of_it_debts_are_taken_whole(world: World) -> None:
    await takes(world, None)
    await owes(world, 1_750)
    await earns(world, 5_000)
    await takes(world, 100)
    await owes(world, 250, "adjustment:A2:2")
    await earns(world, 1_000)
    assert world.paid() == [3_250, 750]


async def test_a_card_is_in_force_from_its_day_on(world: World) -> None:
    await takes(world, 100, since="2199-01-01")
    await owes(world, 1_750)
    await earns(world, 5_000)
    assert world.paid() == [4_000]


async def test_the_minimum_of_a_payment_is_never_taken_off(world: World) -> None:
    await takes(world, 90)
    await world.configured("i1", payout_minimum=900)
    await owes(world, 2_000)
    await earns(world, 1_000, 1_000)
    assert world.paid() == [900, 900]
    assert await debts(world) == [-1_800]


async def test_what_was_not_sent_yet_is_taken_off_once_and_not_twice(world: World) -> None:
    """The school's balance is short: what waits has given its share, and a new debt takes no more."""
    world.control.fund(-1_000_000)
    await world.earned("i1", 5_000)
    await owes(world, 1_750)
    await world.work()
    await owes(world, 500, "adjustment:A2:2")
    await world.work()
    world.control.fund(1_000_000)
    world.clock.advance(minutes=5)
    await world.work()
    assert world.paid() == [4_000]
    assert sum(await debts(world)) == -1_250


async def test_the_rest_of_a_capped_debt_can_be_taken_back(world: World) -> None:
    await earns(world, 8_750)
    await owes(world, 1_750)
    await earns(world, 2_500)
    assert world.paid() == [8_750, 2_000]
    await world.ask_back(1_250, DEBT, "flight:A1:1")
    await world.work()
    assert taken_back(world) == [1_250]
    assert [(a["reversed"], a["reason"]) for a in await world.published("reversal.settled")] == [
        (1_250, "done")
    ]
    await earns(world, 2_500)
    assert (world.paid()[-1], await debts(world)) == (2_500, [])


async def test_a_payment_that_waits_and_a_rest_alone_make_another_transfer(world: World) -> None:
    """Merged with nothing but the rest of a debt, it is another transfer than the one that was held."""
    await owes(world, 1_750)
    await earns(world, 5_000)
    world.control.fund(-1_000_000)
    await takes(world, 100)
    await world.configured("i1", payout_hold_hours=1)
    await world.earned("i1", 3_000)
    await world.configured("i1")
    world.clock.advance(hours=2)
    world.control.fund(1_000_000)
    await world.journal(WALLET, 1, source="flight:A9:1")
    await earns(world, 100)
    assert sum(world.paid()) == 5_000 + 3_000 + 101 - 1_750
