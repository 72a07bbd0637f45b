"""A student pays by a page while their saved method is charged: nobody pays the same bills twice."""

from typing import Any

import pytest
import stripe

from services.ledger.handlers import post_journals
from services.payouts.app import close_charges
from services.payouts.desk.decisions import ACTIONS
from services.payouts.domain.answers import StripeAnswer
from tests.integration.ledger.books import requested
from tests.integration.payouts.refund_world import unbroken  # noqa: F401 - a fixture
from tests.integration.payouts.test_charges import (
    ANNA,
    INTENTS,
    answers,
    ask,
    asked,
    charged,
    pages,
    press,
    saved,
)
from tests.integration.payouts.world import World
from tests.support.decisions import answered, decision
from tests.support.stripe import StripeSim

__all__ = ["saved"]  # a fixture

pytestmark = pytest.mark.usefixtures("unbroken")


async def page(world: World, amount: int = 17_250, **said: Any) -> str:
    """Have a page made; its address."""
    told = {"currency": "USD", "amount": amount} | said
    ruled = await answered(world.db, ACTIONS, decision("payouts", "student_link", ANNA, told))
    assert ruled.outcome == "done"
    assert await pages(world) == 1
    [*_, link] = await world.rows("SELECT url, problem FROM student_link ORDER BY requested_at")
    return str(link.url or link.problem)


def at_stripe(stripe_sim: StripeSim) -> stripe.StripeClient:
    return stripe.StripeClient(stripe_sim.secret_key, base_addresses={"api": stripe_sim.api_base})


def elsewhere(stripe_sim: StripeSim, customer: str) -> str:
    """A page that this service did not make, or made before a restore; its address."""
    item: Any = {"currency": "usd", "unit_amount": 17_250, "product_data": {"name": "Flight account"}}
    made = at_stripe(stripe_sim).v1.checkout.sessions.create(
        {
            "customer": customer,
            "mode": "payment",
            "line_items": [{"price_data": item, "quantity": 1}],
            "success_url": "https://school.example/thank-you",
        }
    )
    return str(made.url)


async def test_an_open_page_is_closed_before_a_charge_is_sent(world: World, saved: Any) -> None:
    url = await page(world)
    await ask(world, asked(world, saved()))
    await world.work()
    press(url)
    assert charged(world) == [17_250]
    assert await answers(world) == [("succeeded", None)]


async def test_whoever_paid_by_a_page_just_before_is_not_charged(world: World, saved: Any) -> None:
    press(await page(world))
    await ask(world, asked(world, saved()))
    await world.work()
    assert charged(world) == [17_250]
    assert await answers(world) == [("not_made", None)]


async def test_a_payment_that_was_counted_stands_against_no_charge(world: World, saved: Any) -> None:
    """It was in the account when the charge of what is left was decided."""
    press(await page(world, amount=10_000))
    [paid] = [e["data"]["object"]["id"] for e in world.control.events() if e["type"] == "charge.succeeded"]
    legs = ((ANNA, 10_000), ("external:stripe", -10_000))
    await post_journals(world.ledger, [requested(f"charge:{paid}", legs, event_type="charge")])
    world.clock.advance(minutes=2)
    await ask(world, asked(world, saved(), amount=7_250))
    await world.work()
    assert charged(world) == [10_000, 7_250]


async def test_a_charge_that_may_have_been_sent_is_never_said_not_to_be_made(
    world: World, saved: Any, stripe_sim: StripeSim
) -> None:
    """Its answer was lost, and the student paid by a page that was made elsewhere since."""
    method = saved()
    await ask(world, asked(world, method))
    world.control.add_fault("reset", when="after", path=INTENTS, count=1)
    await world.once()
    press(elsewhere(stripe_sim, method[0]))
    for _ in range(3):
        world.clock.advance(minutes=1)
        await world.once()
    assert await answers(world) == [], "nobody says that it was not made: it was"
    world.clock.advance(hours=7)
    for _ in range(4):
        await world.once()
        world.clock.advance(minutes=10)
    await close_charges(world.db, clock=world.clock)
    assert await answers(world) == [("succeeded", None)]
    assert charged(world) == [17_250, 17_250], "what is paid too much is the student's credit"


async def test_no_page_is_made_while_a_charge_is_under_way(world: World, saved: Any) -> None:
    await ask(world, asked(world, saved()))
    assert "is being charged" in await page(world)
    await world.work()
    assert (await page(world)).startswith("http")


async def test_a_charge_that_is_ordered_while_a_page_is_made_wins(
    world: World, saved: Any, stripe_sim: StripeSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was made at Stripe, and nobody was given its address."""
    make = world.client.checkout

    async def meanwhile(params: Any) -> StripeAnswer:
        made = await make(params)
        await ask(world, asked(world, saved()))
        return made

    monkeypatch.setattr(world.client, "checkout", meanwhile)
    assert "is being charged" in await page(world)
    await world.work()
    assert charged(world) == [17_250]
    assert [one.status for one in at_stripe(stripe_sim).v1.checkout.sessions.list().data] == ["expired"]


async def test_a_later_page_for_the_same_bills_takes_the_place_of_the_former(world: World) -> None:
    first, flight, other = await page(world), await page(world, bill="F1"), await page(world, bill="F2")
    press(first)
    assert charged(world) == [], "it is over since a page for one of its bills was made"
    press(other)
    assert charged(world) == [17_250]
    press(flight)
    assert charged(world) == [17_250, 17_250], "another bill"
    press(flight)
    assert len(charged(world)) == 2


async def test_nobody_is_asked_anew_for_what_they_paid_a_moment_ago(world: World) -> None:
    press(await page(world))
    assert "not in their account yet" in await page(world, amount=17_250)
