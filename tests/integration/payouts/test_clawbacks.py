"""Money that was sent is taken back when it is asked for: to the cent, once, in time; the rest is a debt."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.envelope import Record
from fleet.invariants import service_invariants
from services.payouts import handlers
from services.payouts.app import end_holds
from services.payouts.domain.clawbacks import REFUSALS_MAX
from services.payouts.domain.operations import Kind
from services.payouts.stripe.retries import Retries, fingerprint
from tests.integration.payouts.test_webhooks import deliver, reverse_by_hand
from tests.integration.payouts.world import World

WALLET = "instructor:i1"
REVERSALS = "/v1/transfers/*/reversals"
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


async def later(world: World, **by: float) -> None:
    """Let the time pass here and at Stripe; the payee's balance there stays what it was."""
    account = await world.account_of("i1")
    world.clock.advance(**by)
    world.control.advance(timedelta(**by).total_seconds())
    world.control.fund(1_000_000, account=account)


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


# Stripe refuses, is silent, or was asked by somebody else


async def test_a_reversal_that_stripe_refuses_is_not_tried_for_ever_and_never_later(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("refuse", path=REVERSALS, code="transfers_not_allowed", message="No.")
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(0, "refused")]
    assert {o.state for o in await world.operations(Kind.REVERSAL)} == {"cancelled"}
    assert len(await world.operations(Kind.REVERSAL)) == REFUSALS_MAX
    world.control.clear_faults()
    world.clock.advance(days=1)
    await Retries(world.db, world.clock, fingerprint("sk_test_two"), world.accounts).step()
    await world.work()
    assert taken_back(world) == []
    assert await debts(world) == [-1750]


async def test_a_refusal_for_want_of_money_is_looked_at_again_at_once(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("balance_insufficient", path=REVERSALS, count=1)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(1750, "done")]
    assert taken_back(world) == [1750]


async def test_a_reversal_by_hand_of_the_same_money_is_not_taken_back_again(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await reverse_by_hand(world, (await world.transfers())[0].stripe_transfer_id, 1000)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert taken_back(world) == [1000, 750]
    assert await answers(world) == [(1750, "done")]
    [answer] = await world.published("reversal.settled")
    assert len(answer["reversals"]) == 2


async def test_a_transfer_that_was_wholly_reversed_by_hand_meanwhile_closes_the_debt(world: World) -> None:
    """Between the look at Stripe and the request, which Stripe refuses."""
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    await reverse_by_hand(world, (await world.transfers())[0].stripe_transfer_id, 8750)
    await world.work()
    assert taken_back(world) == [8750]
    assert await answers(world) == [(1750, "done")]
    [reversal] = await world.rows("SELECT amount FROM reversal")
    [closed] = await world.rows("SELECT amount FROM clawback_return")
    assert (reversal.amount, closed.amount) == (8750, 1750)


async def test_one_reversal_by_hand_closes_two_debts_no_more_than_once(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1000)
    await owes(world, 1000, "adjustment:A1:3")
    await reverse_by_hand(world, (await world.transfers())[0].stripe_transfer_id, 1500)
    await world.ask_back(1000, DEBT)
    await world.ask_back(1000, "adjustment:A1:3")
    await world.work()
    assert taken_back(world) == [1500, 500]
    assert await answers(world) == [(1000, "done"), (1000, "done")]


async def test_a_webhook_proves_a_reversal_before_its_answer(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    relay = world.relay()
    [reversing] = await relay.claim(1)
    outcome = await relay.call(reversing)
    await deliver(world, "transfer.reversed")
    await world.work()
    assert await answers(world) == [(1750, "done")]
    assert outcome is not None
    await relay.record([outcome])
    await world.work()
    assert await answers(world) == [(1750, "done")]
    journals = [j for j in await world.published("journal.requested") if j["event_type"] == "reversal"]
    assert len(journals) == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_was_lost_takes_nothing_twice(world: World, when: str) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("reset", when=when, path=REVERSALS, count=1)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    await world.once()
    assert await answers(world) == []
    world.clock.advance(seconds=1)
    await world.work()
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]


async def test_while_a_reversal_is_unknown_the_payees_line_stands(world: World) -> None:
    """It is parked; nothing more goes out, and nothing is answered until it is proved."""
    await paid(world, 8750)
    await parked_reversal(world)
    await world.earned("i1", 3000)
    assert await world.once() == 0
    assert [t.reason for t in await world.transfers()] == [None, "parked_operation"]
    assert await answers(world) == []
    await deliver(world, "transfer.reversed")
    await world.work()
    assert await answers(world) == [(1750, "done")]
    assert (taken_back(world), world.paid()) == ([1750], [8750, 3000])


async def parked_reversal(world: World) -> None:
    """A reversal that had its effect, of which nothing is known."""
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    world.control.add_fault("reset", when="after", path=REVERSALS, count=1)
    await world.once()
    world.control.add_fault("unavailable", method="GET", path=REVERSALS)
    world.clock.advance(hours=13)
    patient, world.policy = world.policy, replace(world.policy, lookups_max=1)
    await world.once()
    world.policy = patient
    world.control.clear_faults()
    assert [o.state for o in await world.operations(Kind.REVERSAL)] == ["parked"]


async def test_what_was_not_sent_before_the_window_closed_is_given_up(world: World) -> None:
    """Stripe refused our key, or the relay was away."""
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    await later(world, hours=73)
    assert await world.once() == 0
    await world.work()
    assert taken_back(world) == []
    assert await answers(world) == [(0, "window_closed")]
    assert await debts(world) == [-1750]


@pytest.mark.parametrize(("when", "back"), [("after", [1750]), ("before", [])])
async def test_an_unknown_reversal_is_only_looked_up_after_its_window(
    world: World, when: str, back: list[int]
) -> None:
    """The same request again might take the money only now."""
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("reset", when=when, path=REVERSALS, count=1)
    await world.ask_back(1750, DEBT)
    await world.clawbacks().step()
    await world.once()
    await later(world, hours=73)
    for _ in range(4):
        await world.work()
        world.clock.advance(minutes=2)
    assert taken_back(world) == back
    assert await answers(world) == [(1750, "done") if back else (0, "window_closed")]


async def test_a_second_request_for_a_debt_waits_for_the_first(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.ask_back(1750, DEBT)
    assert [c.state for c in await clawbacks(world)] == ["claimed", "waiting"]
    await world.work()
    world.clock.advance(seconds=2)
    await world.work()
    assert taken_back(world) == [1750]
    assert sorted(await answers(world)) == [(0, "already_deducted"), (1750, "done")]


async def test_the_payee_s_account_is_gone(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("account_invalid", method="GET", path="/v1/balance")
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == [(0, "refused")]


async def test_stripe_is_asked_again_when_it_does_not_answer(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    world.control.add_fault("unavailable", method="GET", path="/v1/balance", count=1)
    await world.ask_back(1750, DEBT)
    await world.work()
    assert await answers(world) == []
    world.clock.advance(seconds=31)
    await world.work()
    assert await answers(world) == [(1750, "done")]


async def test_two_processes_order_a_reversal_once(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    one, other = world.clawbacks(), world.clawbacks()
    await asyncio.gather(one.step(), other.step())
    world.clock.advance(seconds=31)
    await asyncio.gather(one.step(), other.step())
    assert len(await world.operations(Kind.REVERSAL)) == 1
    await world.work()
    assert taken_back(world) == [1750]


async def test_a_currency_whose_amounts_are_tens_leaves_the_rest_a_debt(world: World) -> None:
    world.control.set(settlement_currencies=["kwd"])
    world.control.fund(10_000_000, currency="kwd")
    await world.payee("i1")
    await world.earned("i1", 20_000, currency="KWD")
    await world.work()
    await world.hand(world.posted(WALLET, -1_755, source=DEBT, event_type="adjustment", currency="KWD"))
    await world.ask_back(1_755, DEBT, currency="KWD")
    await world.work()
    assert taken_back(world) == [1_750]
    assert [a["reversed"] for a in await world.published("reversal.settled")] == [1_750]
    assert await debts(world) == [-5]


async def test_an_answer_is_never_changed(world: World) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    await world.ask_back(1750, DEBT)
    await world.work()
    with pytest.raises(DBAPIError, match="is answered"):
        await world.rows("UPDATE clawback SET reversed = 0, reason = 'short' RETURNING 1")


@pytest.mark.parametrize(
    "point", ["payouts.debt_claimed", "payouts.reversals_ordered", "payouts.reversal_settled"]
)
async def test_a_process_that_dies_has_written_nothing_and_the_next_goes_on(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paid(world, 8750)
    await owes(world, 1750)
    asked = world.asked_back(1750, DEBT)

    async def die(reached: str, *_: object) -> None:
        if reached == point:
            raise Died

    with monkeypatch.context() as dying:
        dying.setattr("services.payouts.steps.clawbacks.fault_point", die)
        with pytest.raises(Died):
            await taken(world, asked)
    world.clock.advance(minutes=10)  # leases end
    await taken(world, asked)
    assert taken_back(world) == [1750]
    assert await answers(world) == [(1750, "done")]


async def taken(world: World, asked: Record) -> None:
    await handlers.claw_back(world.db, [asked], clock=world.clock)
    await world.work()


class Died(BaseException):
    """The process ends: nobody catches it."""
