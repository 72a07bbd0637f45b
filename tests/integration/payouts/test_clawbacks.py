"""Money that was sent is taken back when it is asked for: to the cent, once, in time; the rest is a debt."""

from datetime import timedelta

import pytest

from fleet.database import Database
from services.payouts import handlers
from services.payouts.deciding import end_holds
from services.payouts.desk import reads
from services.payouts.steps import gauges
from tests.integration.payouts.clawback_world import (
    DEBT,
    WALLET,
    answers,
    clawbacks,
    debts,
    later,
    owes,
    paid,
    taken_back,
    unbroken,
)
from tests.integration.payouts.test_gauges import shown
from tests.integration.payouts.test_stopped import published
from tests.integration.payouts.world import World

__all__ = ["published", "unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")


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
    assert await answers(world) == [(5000, "done"), (3750, "nothing_sent")]
    assert await debts(world) == [-250]


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
    asked = world.asked_back(1750, DEBT)
    await handlers.claw_back(world.db, [asked, asked], clock=world.clock)
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]


# Not all of it comes back


async def test_what_the_account_has_not_available_is_deducted_from_what_is_earned_next(world: World) -> None:
    await paid(world, 8750)
    world.control.fund(-7750, account=await world.account_of("i1"))
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    await world.work()
    assert taken_back(world) == [1000]
    assert await answers(world) == [(1000, "short")]
    assert await debts(world) == [-750]
    await world.earned("i1", 3000)
    await world.work()
    assert world.paid() == [8750, 2250]
    assert DEBT in (await world.published("transfer.sent"))[-1]["sources"], (
        "who waits for the rest hears of it"
    )


async def test_the_rest_of_a_debt_can_be_asked_for_again(world: World) -> None:
    await paid(world, 8750)
    account = await world.account_of("i1")
    world.control.fund(-7750, account=account)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    world.control.fund(7750, account=account)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert taken_back(world) == [1000, 750]
    assert await answers(world) == [(1000, "short"), (750, "already_deducted")]
    assert await debts(world) == []


async def test_a_part_of_a_debt_is_asked_for_and_the_other_is_deducted(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1000, DEBT)
    assert await debts(world) == [-750]
    await world.work()
    await world.earned("i1", 3000)
    await world.work()
    assert (taken_back(world), world.paid()) == ([1000], [8750, 2250])
    assert await answers(world) == [(1000, "done")]


async def test_nothing_is_taken_back_after_the_window_and_the_debt_is_deducted(world: World) -> None:
    await paid(world, 8750)
    await later(world, hours=72, minutes=-1)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert taken_back(world) == []
    assert await answers(world) == [(0, "window_closed")]
    assert await debts(world) == [-1750]


async def test_it_is_taken_back_until_just_before_the_window_closes(world: World) -> None:
    await paid(world, 8750)
    await later(world, hours=71, minutes=58)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(1750, "done")]


async def test_nothing_was_sent(world: World) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(0, "nothing_sent")]
    assert await debts(world) == [-1750]


async def test_money_that_was_not_sent_is_netted_and_not_taken_back(world: World) -> None:
    """It lies in a hold period, and covers the debt."""
    await paid(world, 8750)
    await world.configured("i1", payout_hold_hours=24)
    await world.earned("i1", 4000)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    await world.work()
    assert await answers(world) == [(0, "already_deducted")]
    world.clock.advance(hours=25)
    await end_holds(world.db, clock=world.clock)
    await world.work()
    assert (taken_back(world), world.paid()) == ([], [8750, 2250])


async def test_only_what_unsent_money_does_not_cover_is_taken_back(world: World) -> None:
    """And that money does not leave while the rest is taken back, nor after it."""
    await paid(world, 8750)
    await world.configured("i1", payout_hold_hours=24)
    await world.earned("i1", 500)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, "flight:A1:1")
    world.clock.advance(hours=25)
    await end_holds(world.db, clock=world.clock)
    await world.work()
    assert (taken_back(world), world.paid()) == ([1250], [8750])
    assert await answers(world) == [(1250, "already_deducted")]
    await world.configured("i1", payout_hold_hours=0)
    await world.earned("i1", 2000)
    await world.work()
    assert world.paid() == [8750, 2000]


async def test_a_debt_that_a_payment_deducted_is_not_taken_back(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.earned("i1", 3000)
    await world.work()
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(0, "already_deducted")]
    assert (taken_back(world), world.paid()) == ([], [8750, 1250])


async def test_a_transfer_in_flight_is_waited_for(world: World) -> None:
    await paid(world, 8750)
    await world.earned("i1", 3000)
    relay = world.relay()
    [sending] = await relay.claim(1)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    assert [c.state for c in await clawbacks(world)] == ["waiting"]
    outcome = await relay.call(sending)
    assert outcome is not None
    await relay.record([outcome])
    world.clock.advance(seconds=2)
    await world.work()
    assert taken_back(world) == [1750]
    assert [(t.amount, t.amount_reversed) for t in await world.transfers()] == [(8750, 0), (3000, 1750)]


async def test_a_journal_that_owes_the_payee_something_is_no_debt(world: World) -> None:
    await paid(world, 8750)
    await world.ask_back(1750, "flight:A1:1")
    await world.work()
    assert await answers(world) == [(0, "unknown_debt")]


async def test_a_debt_in_another_currency_is_no_debt_of_the_request(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT, currency="EUR")
    await world.work()
    assert await answers(world) == [(0, "unknown_debt")]
    assert await debts(world) == [-1750]


async def test_a_journal_that_does_not_come_in_72_hours_is_answered_so(world: World) -> None:
    await paid(world, 8750)
    await world.ask_back(1750, DEBT)
    world.clock.advance(hours=72, seconds=1)
    await world.work()
    assert await answers(world) == [(0, "unknown_debt")]


async def test_a_request_for_a_wallet_of_no_payee_is_a_dead_letter(world: World) -> None:
    await world.ask_back(1750, DEBT, wallet="student:s1")
    [letter] = await world.rows("SELECT reason FROM dead_letter")
    assert letter.reason == "not_a_payee"


@pytest.mark.parametrize("event_type", ["adjustment", "settlement"])
async def test_a_settlement_journal_is_a_payable(world: World, event_type: str) -> None:
    """A cheque that came in, or what was forgiven: it ends the debt of the adjustment."""
    await paid(world, 8750)
    await owes(world, 1750)
    await world.journal(WALLET, 1750, source="settlement:s1", event_type=event_type)
    await world.earned("i1", 3000)
    await world.work()
    assert world.paid() == [8750, 3000]


async def test_people_see_that_money_is_taken_back_and_that_it_was(world: World, published: Database) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    async with published.transaction() as tx:
        [payee] = await reads.list_payees(tx)
    assert payee["claw_back"] == "asks Stripe what can be taken back"
    await gauges.measure(world.db)
    assert shown("payouts_clawbacks", state="claimed") == 1
    assert shown("payouts_clawbacks", state="reversing") == 0
    await world.work()
    [transfer] = await world.transfers()
    async with published.transaction() as tx:
        [payee] = await reads.list_payees(tx)
        whole = await reads.whole_transfer(tx, transfer.id)
    assert payee["claw_back"] is None
    assert whole is not None
    assert [r["amount"] for r in whole["reversals"]] == [1750]
    await gauges.measure(world.db)
    assert shown("payouts_clawbacks", state="claimed") == 0


async def test_the_clock_of_the_window_is_stripe_s(world: World) -> None:
    """Our clock was ahead by hours when the transfer was sent."""
    world.clock.advance(hours=9)
    await paid(world, 8750)
    [transfer] = await world.transfers()
    assert transfer.clawback_until - transfer.sent_at == timedelta(hours=72)
    assert transfer.sent_at < world.clock() - timedelta(hours=8)
