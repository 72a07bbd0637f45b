"""Customers that exist at Stripe are taken for a student by their id, and none is made then."""

import httpx
import pytest
import stripe

from services.payouts.desk.decisions import ACTIONS
from services.payouts.stripe.existing_customers import adopt_customers
from services.payouts.stripe.student_links import answer_student_links
from tests.integration.payouts.world import World
from tests.support.decisions import answered, decision
from tests.support.payouts import unhurried
from tests.support.stripe import StripeSim

ANNA, BERT = "student:anna", "student:bert"


@pytest.fixture
def at_stripe(stripe_sim: StripeSim) -> stripe.StripeClient:
    return stripe.StripeClient(stripe_sim.secret_key, base_addresses={"api": stripe_sim.api_base})


async def adopt(world: World, wallet: str, customer: object, why: str = "had it before") -> str:
    """Decide, let payouts read it; what was refused or found wrong, "" when it is taken."""
    asked = decision("payouts", "adopt_customer", wallet, {"customer": customer}, why=why)
    ruling = await answered(world.db, ACTIONS, asked)
    if ruling.outcome == "refused":
        return ruling.sentence
    await read(world)
    [row] = await world.rows("SELECT problem FROM customer_adoption ORDER BY requested_at DESC LIMIT 1")
    return row.problem or ""


def press(url: str) -> None:
    """Fill the page in with a good card."""
    httpx.post(url, data={"action": "pay", "payment_method": "pm_card_visa"})


async def read(world: World) -> int:
    return await adopt_customers(world.db, world.client, unhurried(), world.clock)


async def customers(world: World) -> dict[str, str]:
    return {row.wallet: row.customer for row in await world.rows("SELECT * FROM student_customer")}


async def test_a_page_is_made_for_the_customer_that_was_adopted_and_none_is_made(
    world: World, at_stripe: stripe.StripeClient
) -> None:
    existing = at_stripe.v1.customers.create({"name": "kept by the old software", "metadata": {"old": "17"}})
    assert await adopt(world, ANNA, existing.id) == ""
    marked = at_stripe.v1.customers.retrieve(existing.id)
    assert marked.metadata is not None
    assert marked.metadata.to_dict() == {"old": "17", "hobbs_student": "anna"}
    asked = decision("payouts", "student_link", ANNA, {"currency": "USD"})
    assert (await answered(world.db, ACTIONS, asked)).outcome == "done"
    await answer_student_links(world.db, world.client, unhurried(), "https://school.example", world.clock)
    [link] = await world.rows("SELECT url FROM student_link")
    press(link.url)
    [event] = [e for e in world.control.events() if e["type"] == "setup_intent.succeeded"]
    assert event["data"]["object"]["customer"] == existing.id
    assert [one.id for one in at_stripe.v1.customers.list().data] == [existing.id]


async def test_what_cannot_be_the_students_customer_is_refused_with_the_reason(
    world: World, at_stripe: stripe.StripeClient
) -> None:
    first, second, of_bert, gone = (at_stripe.v1.customers.create({}).id for _ in range(4))
    at_stripe.v1.customers.delete(gone)
    at_stripe.v1.customers.update(of_bert, {"metadata": {"hobbs_student": "bert"}})
    assert await adopt(world, ANNA, "acct_1") == "name a customer as Stripe does: cus_…"
    assert await adopt(world, ANNA, None) == "name a customer as Stripe does: cus_…"
    assert await adopt(world, "instructor:i1", first) == "instructor:i1 is no student's wallet"
    assert await adopt(world, ANNA, first, why=" ") == "say why: it stays in the history"
    assert "Stripe does not show cus_nobody to this platform" in await adopt(world, ANNA, "cus_nobody")
    assert await adopt(world, ANNA, gone) == f"{gone} was deleted at Stripe"
    assert f"{of_bert} belongs to {BERT}" in await adopt(world, ANNA, of_bert)
    assert await customers(world) == {}
    assert await adopt(world, ANNA, first) == ""
    assert await adopt(world, ANNA, second) == f"{ANNA} has {first} already"
    assert await adopt(world, BERT, first) == f"{first} is the customer of {ANNA}"
    assert await adopt(world, BERT, of_bert) == ""
    assert await customers(world) == {ANNA: first, BERT: of_bert}


async def test_of_two_that_are_asked_for_at_once_the_first_is_taken(
    world: World, at_stripe: stripe.StripeClient
) -> None:
    first, second = (at_stripe.v1.customers.create({}).id for _ in range(2))
    for wallet, customer in ((ANNA, first), (ANNA, second), (BERT, first)):
        asked = decision("payouts", "adopt_customer", wallet, {"customer": customer}, why="moving in")
        assert (await answered(world.db, ACTIONS, asked)).outcome == "done"
        world.clock.advance(seconds=1)
    assert await read(world) == 3
    assert await read(world) == 0
    rows = await world.rows("SELECT problem FROM customer_adoption ORDER BY requested_at")
    problems = [row.problem for row in rows]
    assert problems[:2] == [None, f"{ANNA} has {first} already"]
    assert problems[2].startswith(f"{first} belongs to {ANNA}"), "Stripe's metadata says whose it is by then"
    assert await customers(world) == {ANNA: first}
