"""Reversals that Stripe refuses or is silent about, and those of others: nothing comes back twice or late."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.envelope import Record
from services.payouts import handlers
from services.payouts.domain.clawbacks import REFUSALS_MAX
from services.payouts.domain.operations import Kind
from services.payouts.stripe.retries import Retries, fingerprint
from tests.integration.payouts.clawback_world import (
    DEBT,
    REVERSALS,
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
from tests.integration.payouts.test_webhooks import deliver, reverse_by_hand
from tests.integration.payouts.world import World

__all__ = ["unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")


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
