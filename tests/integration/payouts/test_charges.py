"""Charges of saved payment methods: made once, answered once, whatever dies or is lost on the way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
import stripe

from fleet import faults
from fleet.envelope import Record
from schemas.charges import ChargeRequested
from schemas.dunning import DunningRequested
from services.payouts import handlers
from services.payouts.app import close_charges
from services.payouts.desk.decisions import ACTIONS
from services.payouts.stripe.student_links import answer_student_links
from services.receivables.domain.saved_methods import MethodSetUp
from services.receivables.wire.saved_methods import method_fact
from tests.integration.payouts.refund_world import unbroken  # noqa: F401 - a fixture
from tests.integration.payouts.snapshots import Backup
from tests.integration.payouts.world import World
from tests.support.decisions import answered, decision
from tests.support.payouts import unhurried
from tests.support.records import record
from tests.support.stripe import StripeSim

ANNA = "student:anna"
INTENTS = "/v1/payment_intents"
NAMES = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

pytestmark = pytest.mark.usefixtures("unbroken")


@pytest.fixture
def saved(stripe_sim: StripeSim) -> Callable[[str], tuple[str, str]]:
    """Save a test card for a customer at Stripe: the customer and the payment method."""
    client = stripe.StripeClient(stripe_sim.secret_key, base_addresses={"api": stripe_sim.api_base})

    def save(token: str = "pm_card_visa") -> tuple[str, str]:
        customer = client.v1.customers.create({"metadata": {"hobbs_student": "anna"}})
        kept = client.v1.payment_methods.attach(token, {"customer": customer.id})
        return customer.id, kept.id

    return save


def asked(world: World, method: tuple[str, str], amount: int = 17_250, cause: str = "flight:F1:1") -> Record:
    """A `charge.requested` record, as receivables publishes it."""
    event = ChargeRequested(
        request_id=uuid5(NAMES, cause),
        wallet=ANNA,
        currency="USD",
        amount=amount,
        cause=cause,
        customer=method[0],
        payment_method=method[1],
        method_type="card",
        decided_at=world.clock(),
    )
    return record("charge.requested", event, key=ANNA)


async def ask(world: World, *records: Record) -> None:
    for one in records:
        await handlers.charge(world.db, [one], clock=world.clock)


async def answers(world: World) -> list[tuple[str, str | None]]:
    return [(a["outcome"], a["code"]) for a in await world.published("charge.answered")]


def charged(world: World) -> list[int]:
    """What Stripe took from cards, in order."""
    return [int(e["amount"]) for e in world.control.effects(kind="charge")]


async def test_a_saved_card_is_charged_once_and_answered(world: World, saved: Any) -> None:
    request = asked(world, saved())
    await ask(world, request, request)
    await world.work()
    assert charged(world) == [17_250]
    [answer] = await world.published("charge.answered")
    assert (answer["outcome"], answer["amount"], answer["cause"]) == ("succeeded", 17_250, "flight:F1:1")
    assert answer["payment_intent"].startswith("pi_")
    assert answer["charge"].startswith("ch_")


async def test_asked_again_under_another_event_it_is_answered_again_and_not_charged(
    world: World, saved: Any
) -> None:
    """After a restore receivables decides again: the same cause, perhaps of another amount."""
    method = saved()
    await ask(world, asked(world, method))
    await world.work()
    await ask(world, asked(world, method, amount=20_000))
    await world.work()
    assert charged(world) == [17_250]
    told = await world.published("charge.answered")
    assert [(a["outcome"], a["amount"]) for a in told] == [("succeeded", 17_250)] * 2


@pytest.mark.parametrize(
    ("token", "code", "advice"),
    [
        ("pm_card_chargeCustomerFail", "generic_decline", "try_again_later"),
        ("pm_card_authenticationRequired", "authentication_required", None),
    ],
)
async def test_a_decline_is_an_answer_and_no_retry(
    world: World, saved: Any, token: str, code: str, advice: str | None
) -> None:
    await ask(world, asked(world, saved(token)))
    await world.work()
    world.clock.advance(days=3)
    await world.work()
    [answer] = await world.published("charge.answered")
    assert (answer["outcome"], answer["code"], answer["advice"]) == ("declined", code, advice)
    assert charged(world) == []


@pytest.mark.parametrize("effect", ["after", "before"])
async def test_a_lost_answer_charges_once(world: World, saved: Any, effect: str) -> None:
    await ask(world, asked(world, saved()))
    world.control.add_fault("reset", when=effect, path=INTENTS, count=1)
    await world.work()
    assert charged(world) == [17_250]
    assert await answers(world) == [("succeeded", None)]


async def test_a_charge_that_was_asked_for_long_ago_is_looked_up_before_it_is_sent(
    world: World, saved: Any, owner_url: str
) -> None:
    """A restored database reads the request again when Stripe has forgotten the key."""
    backup, request = Backup(owner_url), asked(world, saved())
    await backup.make()
    await ask(world, request)
    await world.work()
    await backup.restore()
    world.clock.advance(hours=25)
    world.control.advance(timedelta(hours=25).total_seconds())
    await ask(world, request)
    await world.work()
    assert charged(world) == [17_250]
    assert await answers(world) == [("succeeded", None)]


async def test_what_was_not_sent_in_time_is_given_up(world: World, saved: Any) -> None:
    """Stripe was away, and nothing of it is there: what was owed may be paid otherwise by now."""
    await ask(world, asked(world, saved()))
    world.control.add_fault("reset", when="before", path=INTENTS, count=1)
    await world.once()
    world.control.clear_faults()
    world.clock.advance(hours=7)
    for _ in range(4):
        await world.once()
        world.clock.advance(minutes=10)
    await close_charges(world.db, clock=world.clock)
    assert await answers(world) == [("not_made", None)]
    assert charged(world) == []


@pytest.mark.parametrize(
    "point",
    [
        "relay.before_send:charge",
        "relay.answered:charge",
        "relay.mid_record:charge",
        "payouts.charge_answered",
    ],
)
async def test_a_crash_at_any_point_charges_once(
    world: World, saved: Any, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(world, asked(world, saved()))
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
    with pytest.raises(faults.InjectedFault):
        await world.once()
    monkeypatch.setattr(faults, "_plan", None)
    world.clock.advance(minutes=10)
    await world.work()
    assert charged(world) == [17_250]
    assert await answers(world) == [("succeeded", None)]


async def test_a_student_saves_a_card_on_a_page_that_names_the_student(world: World, owner_url: str) -> None:
    for _ in range(2):
        asked_for = decision("payouts", "student_link", ANNA, {"currency": "USD"})
        assert (await answered(world.db, ACTIONS, asked_for)).outcome == "done"
    assert await pages(world) == 2
    links = await world.rows("SELECT url FROM student_link ORDER BY requested_at")
    assert len(await world.rows("SELECT wallet FROM student_customer")) == 1
    press(links[-1].url)
    [event] = [e for e in world.control.events() if e["type"] == "setup_intent.succeeded"]
    fact = method_fact(event["type"], event["data"]["object"], world.clock())
    assert isinstance(fact, MethodSetUp)
    assert fact.student == "anna"
    await ask(world, asked(world, (fact.customer, fact.payment_method)))
    await world.work()
    assert charged(world) == [17_250]


async def test_a_payment_page_names_the_student_the_amount_and_the_bill(world: World) -> None:
    for unfit in ({"bill": "F1"}, {"bill": "", "amount": 12_000}, {"bill": 7, "amount": 12_000}):
        wrong = decision("payouts", "student_link", ANNA, {"currency": "USD", **unfit})
        assert "name a flight, and the amount" in (await answered(world.db, ACTIONS, wrong)).sentence
    asked_for = decision("payouts", "student_link", ANNA, {"currency": "USD", "amount": 12_000, "bill": "F1"})
    assert (await answered(world.db, ACTIONS, asked_for)).outcome == "done"
    assert await pages(world) == 1
    [link] = await world.rows("SELECT url, expires_at FROM student_link")
    assert link.expires_at > world.clock() + timedelta(hours=20)
    press(link.url)
    [event] = [e for e in world.control.events() if e["type"] == "payment_intent.succeeded"]
    paid = event["data"]["object"]
    named = {"hobbs_student": "anna", "hobbs_bill": "F1"}
    assert (paid["amount"], paid["metadata"]) == (12_000, named)
    [charge] = [e["data"]["object"] for e in world.control.events() if e["type"] == "charge.succeeded"]
    assert charge["metadata"] == named, "receivables reads it there"


async def test_a_bank_that_asks_for_the_student_has_a_page_made_that_expires(
    world: World, saved: Any
) -> None:
    await ask(world, asked(world, saved("pm_card_authenticationRequired")))
    await ask(world, asked(world, saved("pm_card_chargeCustomerFail"), cause="flight:F2:1"))
    await world.work()
    assert await pages(world) == 1
    [page] = await world.rows("SELECT id, wallet, amount, url, expires_at FROM student_link")
    assert (page.id, page.wallet, page.amount) == (uuid5(NAMES, "flight:F1:1"), ANNA, 17_250)
    assert page.url.startswith("http")
    assert timedelta() < page.expires_at - world.clock() <= timedelta(days=1)


async def test_a_request_for_what_is_overdue_has_one_page_for_all_of_it(world: World) -> None:
    told = {
        "student": "anna",
        "run": 1,
        "step": "reminder",
        "action": "remind",
        "currency": "USD",
        "total": 31_500,
        "oldest_due": "2026-05-22",
        "days_overdue": 3,
        "bills": [],
        "bills_in_all": 2,
        "sentence": "please pay it",
        "requested_at": world.clock(),
        "link": str(UUID(int=7)),
    }
    for ce_id, changed in (
        ("1", {}),
        ("2", {}),
        ("3", {"link": None}),
        ("4", {"total": 10**14, "link": str(UUID(int=8))}),
    ):
        event = DunningRequested.model_validate(told | changed)
        await handlers.make_pages(world.db, [record("dunning.requested", event, key="anna", ce_id=ce_id)])
    assert await pages(world) == 1
    async with world.db.transaction() as tx:
        [page] = await tx.all("SELECT id, amount, url FROM student_link")
    assert (page.id, page.amount) == (UUID(int=7), 31_500)
    press(page.url)
    [paying] = [e for e in world.control.events() if e["type"] == "payment_intent.succeeded"]
    paid = paying["data"]["object"]
    assert (paid["amount"], paid["metadata"]) == (31_500, {"hobbs_student": "anna"})


@pytest.mark.parametrize(
    ("wallet", "parameters"),
    [
        ("instructor:i1", {"currency": "USD"}),
        ("student:", {"currency": "USD"}),
        (ANNA, {}),
        (ANNA, {"currency": "dollars"}),
        (ANNA, {"currency": "USD", "amount": 0}),
        (ANNA, {"currency": "USD", "amount": "12"}),
        (ANNA, {"currency": "USD", "amount": True}),
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(world: World, wallet: str, parameters: Any) -> None:
    ruling = await answered(world.db, ACTIONS, decision("payouts", "student_link", wallet, parameters))
    assert ruling.outcome == "refused"


def press(url: str) -> None:
    """Fill the page in with a good card."""
    httpx.post(url, data={"action": "pay", "payment_method": "pm_card_visa"})


async def pages(world: World) -> int:
    """Make the pages that people wait for; how many."""
    return await answer_student_links(
        world.db, world.client, unhurried(), "https://school.example/thank-you", world.clock
    )
