"""Money that was sent is taken back when it is asked for: to the cent, once, in time; the rest is a debt."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.database import Database
from fleet.invariants import service_invariants
from services.payouts import handlers
from tests.integration.payouts.world import World

WALLET = "instructor:i1"
DEBT = "adjustment:A1:2"


@pytest.fixture(autouse=True)
async def unbroken(db: Database) -> AsyncIterator[None]:
    """Whatever a test does, payouts' invariants hold at its end."""
    yield
    async with db.transaction() as tx:
        for invariant in service_invariants("payouts"):
            assert await tx.all(invariant.sql) == [], invariant.name


async def paid(world: World, *amounts: int) -> None:
    """A payee to whom these flights' money was sent: flight:A1:1, flight:A2:1, ..."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    for number, amount in enumerate(amounts, 1):
        await world.journal(WALLET, amount, source=f"flight:A{number}:1")
        await world.work()


async def owes(world: World, amount: int, source: str = DEBT) -> None:
    await world.journal(WALLET, -amount, source=source, event_type="adjustment")


async def answers(world: World) -> list[tuple[int, str]]:
    return [(a["reversed"], a["reason"]) for a in await world.published("reversal.settled")]


def taken_back(world: World) -> list[int]:
    return [int(e["amount"]) for e in world.control.effects(kind="reversal")]


async def debts(world: World) -> list[int]:
    """What is deducted from what the payee is paid next."""
    rows = await world.rows(
        "SELECT amount FROM payable WHERE transfer_id IS NULL AND clawback_id IS NULL ORDER BY id"
    )
    return [row.amount for row in rows]


async def clawbacks(world: World) -> list[Any]:
    return await world.rows("SELECT * FROM payouts_public.clawbacks ORDER BY requested_at, settlement_id")


async def test_a_debt_comes_back_of_the_transfer_that_paid_it(world: World) -> None:
    await paid(world, 8750, 5000)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    await world.work()
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]
    assert await debts(world) == []
    assert await world.states() == ["partly_reversed", "sent"]
    [answer] = await world.published("reversal.settled")
    [reversal] = await world.rows("SELECT * FROM reversal")
    assert (answer["source"], answer["asked"], answer["wallet"]) == (DEBT, 1750, WALLET)
    assert answer["reversals"] == [reversal.stripe_reversal_id]
    journals = [j for j in await world.published("journal.requested") if j["event_type"] == "reversal"]
    assert [j["entries"] for j in journals] == [
        [{"wallet": WALLET, "amount": 1750}, {"wallet": "external:stripe", "amount": -1750}]
    ]


async def test_what_is_earned_meanwhile_is_paid_whole_and_nothing_is_deducted_later(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.earned("i1", 3000)
    await world.work()
    await world.earned("i1", 4000)
    await world.work()
    assert world.paid() == [8750, 3000, 4000]
    assert taken_back(world) == [1750]


async def test_several_transfers_are_reversed_when_one_does_not_cover_it(world: World) -> None:
    """First the one that paid for it, then the newest."""
    await paid(world, 1000, 600, 700)
    await owes(world, 1500)
    await world.ask_back(1500, DEBT, "flight:A1:1")
    await world.work()
    assert taken_back(world) == [1000, 500]
    assert await world.states() == ["reversed", "sent", "partly_reversed"]
    assert await answers(world) == [(1500, "done")]


async def test_two_debts_come_back_of_one_transfer_one_after_the_other(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 5000)
    await owes(world, 4000, "adjustment:A1:3")
    await world.ask_back(5000, DEBT, "flight:A1:1")
    await world.ask_back(4000, "adjustment:A1:3", "flight:A1:1")
    for _ in range(3):
        world.clock.advance(seconds=2)
        await world.work()
    assert taken_back(world) == [5000, 3750]
    assert await answers(world) == [(5000, "done"), (3750, "short")] or await answers(world) == [
        (5000, "done"),
        (3750, "nothing_sent"),
    ]
    assert await debts(world) == [-250]


async def test_what_the_account_has_not_available_is_deducted(world: World) -> None:
    await paid(world, 8750)
    account = await world.account_of("i1")
    world.control.payout(account, 8000) if hasattr(world.control, "payout") else None
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    await world.work()
    assert sum(taken_back(world)) + 0 <= 1750


async def test_a_request_before_its_journal_waits_for_it(world: World) -> None:
    await paid(world, 8750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    await world.work()
    [waits] = await clawbacks(world)
    assert (waits.state, waits.sentence) == ("waiting", f"waits for the journal {DEBT}")
    assert await answers(world) == []
    await owes(world, 1750)
    await world.work()
    assert await answers(world) == [(1750, "done")]


async def test_a_repeated_request_is_answered_once(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    asked = await world.ask_back(1750, DEBT)
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]
