"""Refunds to students' cards: of which payments, how much, once, and what is answered."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from schemas.decisions import DecisionTaken
from services.payouts import handlers
from services.payouts.desk.decisions import ACTIONS
from services.payouts.domain.operations import Kind
from tests.integration.payouts.refund_world import (
    ADJUSTMENT,
    ANNA,
    REFUNDS,
    answers,
    ask,
    asked,
    belongs_to,
    later,
    pays,
    refunded,
    unbroken,
)
from tests.integration.payouts.snapshots import Backup
from tests.integration.payouts.world import World
from tests.support.decisions import answered, decision

__all__ = ["unbroken"]

pytestmark = pytest.mark.usefixtures("unbroken")


@pytest.fixture(autouse=True)
def funded(world: World) -> None:
    world.control.fund(1_000_000)


async def test_the_newest_payment_is_refunded_and_it_is_answered_once(world: World) -> None:
    _, newest = await pays(world, 10_000, 5_000)
    sent = await ask(world, 4_000)
    await world.work()
    assert refunded(world) == [(newest, 4_000)]
    [answer] = await world.published("refund.settled")
    assert (answer["wallet"], answer["source"], answer["asked"]) == (ANNA, ADJUSTMENT, 4_000)
    assert (answer["refunded"], answer["reason"], len(answer["refunds"])) == (4_000, "done", 1)
    assert answer["sentence"] == f"40.00 USD went back to the card of payment {newest}"
    await handlers.refund(world.db, [sent], clock=world.clock)
    await world.work()
    assert await answers(world) == [(4_000, "done")]
    assert await world.published("journal.requested") == []  # the refund's webhook is booked by receivables


async def test_several_payments_are_refunded_the_newest_first_none_beyond_what_was_paid(world: World) -> None:
    oldest, middle, newest = await pays(world, 10_000, 2_000, 1_500)
    world.control.trigger("charge.refunded", charge=middle, refund=500)
    await ask(world, 5_000)
    await world.work()
    assert refunded(world)[1:] == [(newest, 1_500), (middle, 1_500), (oldest, 2_000)]
    assert await answers(world) == [(5_000, "done")]


async def test_what_the_payments_do_not_cover_is_answered_as_short(world: World) -> None:
    [only] = await pays(world, 3_000)
    await ask(world, 5_000)
    await world.work()
    assert refunded(world) == [(only, 3_000)]
    assert await answers(world) == [(3_000, "short")]


async def test_who_paid_nothing_by_card_is_refunded_nothing(world: World) -> None:
    [others] = await pays(world, 3_000, student="berta")
    await pays(world, 3_000)
    await belongs_to(world, others, 3_000, "carl")
    await ask(world, 1_000, wallet="student:berta")
    await world.work()
    assert (refunded(world), await answers(world)) == ([], [(0, "nothing_paid")])


async def test_a_payment_that_was_moved_is_the_new_students(world: World) -> None:
    [moved] = await pays(world, 3_000, student="berta")
    await belongs_to(world, moved, 3_000, "anna")
    await belongs_to(world, moved, 3_000, None)  # told late: nobody takes it from its student
    await ask(world, 1_000)
    await world.work()
    assert refunded(world) == [(moved, 1_000)]


async def test_two_requests_of_a_student_refund_no_payment_beyond_what_was_paid(world: World) -> None:
    oldest, newest = await pays(world, 2_500, 4_000)
    await ask(world, 3_000)
    await ask(world, 3_000)
    await world.work()
    world.clock.advance(seconds=1)  # one request of a student at a time
    await world.work()
    assert refunded(world) == [(newest, 3_000), (newest, 1_000), (oldest, 2_000)]
    assert await answers(world) == [(3_000, "done"), (3_000, "done")]


async def test_a_request_that_waits_for_another_one_asks_stripe_nothing(world: World) -> None:
    """What was refunded is a read for each payment: a crowd of requests would read without end."""
    await pays(world, 2_500, 4_000)
    await ask(world, 1_000)
    await world.refunds().step()
    [ordered] = await world.operations(Kind.REFUND)
    assert ordered.state == "due"
    await ask(world, 1_000)
    before = world.control.state()["calls"]
    assert await world.refunds().step() == 1
    assert world.control.state()["calls"] == before


async def test_of_many_payments_the_refunds_are_one_list(world: World) -> None:
    """Read for each payment, a student of 50 payments took half a minute for each refund."""
    charges = await pays(world, *[2_000] * 8)
    await ask(world, 5_000)
    before = world.control.state()["calls"]
    await world.refunds().step()
    after = world.control.state()["calls"]
    assert set(after.items()) - set(before.items()) == {(f"GET {REFUNDS}", 1)}
    await world.work()
    newest = charges[::-1]
    assert refunded(world) == [(newest[0], 2_000), (newest[1], 2_000), (newest[2], 1_000)]
    await ask(world, 2_000)
    await world.work()
    assert refunded(world)[3:] == [(newest[2], 1_000), (newest[3], 1_000)]
    assert await answers(world) == [(5_000, "done"), (2_000, "done")]


async def test_refunds_that_cannot_be_listed_are_read_for_each_payment(world: World) -> None:
    charges = await pays(world, *[2_000] * 8)
    world.control.add_fault("server_error", method="GET", path=REFUNDS, when="before", count=1)
    await ask(world, 3_000)
    await world.work()
    assert refunded(world) == [(charges[-1], 2_000), (charges[-2], 1_000)]


async def test_a_list_that_is_refused_for_haste_is_read_later_and_not_by_more_calls(world: World) -> None:
    charges = await pays(world, *[2_000] * 8)
    world.control.add_fault("rate_limit", method="GET", path=REFUNDS, count=1)
    await ask(world, 3_000)
    before = world.control.state()["calls"].get(f"GET {REFUNDS}", 0)
    await world.refunds().step()
    assert world.control.state()["calls"][f"GET {REFUNDS}"] == before + 1
    assert refunded(world) == []
    later(world, minutes=3)
    await world.work()
    assert refunded(world) == [(charges[-1], 2_000), (charges[-2], 1_000)]


async def test_a_refund_that_stripe_refuses_goes_to_the_next_payment(world: World) -> None:
    """The newest payment is disputed: Stripe refuses to refund it."""
    older, disputed = await pays(world, 5_000, 5_000)
    world.control.trigger("charge.dispute.created", charge=disputed)
    await ask(world, 4_000)
    await world.work()
    assert refunded(world) == [(older, 4_000)]
    assert await answers(world) == [(4_000, "done")]
    assert {o.state for o in await world.operations(Kind.REFUND)} == {"cancelled", "succeeded"}


async def test_when_stripe_refuses_every_payment_it_says_so(world: World) -> None:
    await pays(world, 5_000)
    message = "This charge is too old to be refunded."
    world.control.add_fault("refuse", method="POST", path=REFUNDS, code="charge_expired", message=message)
    await ask(world, 4_000)
    await world.work()
    [answer] = await world.published("refund.settled")
    assert (answer["refunded"], answer["reason"]) == (0, "refused")
    assert message in answer["sentence"]
    world.control.clear_faults()
    later(world, days=2)
    await world.work()
    assert refunded(world) == []


async def test_a_refund_that_waits_for_the_balance_is_answered_when_it_left(world: World) -> None:
    [charge] = await pays(world, 5_000)
    world.control.fund(-1_000_000)
    await ask(world, 4_000)
    await world.work()
    assert await answers(world) == []
    [request] = await world.rows("SELECT state, sentence FROM payouts_public.refund_requests")
    assert (request.state, "has not sent 40.00 USD" in request.sentence) == ("looking", True)
    world.control.fund(1_000_000)
    later(world, minutes=1)
    await world.work()
    assert refunded(world) == [(charge, 4_000)]
    assert await answers(world) == [(4_000, "done")]


async def test_a_refund_that_the_bank_sends_back_before_the_answer_goes_to_another_card(world: World) -> None:
    [older] = await pays(world, 5_000)
    [newest] = await pays(world, 2_000, card="refundFail")
    await ask(world, 3_000)
    await world.refunds().step()
    await world.once()
    world.control.advance(2)
    await world.work()
    assert refunded(world) == [(newest, 2_000), (older, 1_000), (older, 2_000)]
    assert await answers(world) == [(3_000, "done")]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_was_lost_refunds_nothing_twice(world: World, when: str) -> None:
    [charge] = await pays(world, 5_000)
    world.control.add_fault("reset", when=when, method="POST", path=REFUNDS, count=1)
    await ask(world, 4_000)
    await world.refunds().step()
    await world.once()
    assert await answers(world) == []
    world.clock.advance(seconds=1)
    await world.work()
    assert refunded(world) == [(charge, 4_000)]
    assert await answers(world) == [(4_000, "done")]


async def test_a_webhook_proves_a_refund_before_its_answer(world: World) -> None:
    await pays(world, 5_000)
    await ask(world, 4_000)
    await world.refunds().step()
    relay = world.relay()
    [refunding] = await relay.claim(1)
    outcome = await relay.call(refunding)
    [event] = [e for e in world.control.events() if e["type"] == "refund.created"]
    await world.webhook("refund.created", event["data"]["object"])
    await world.work()
    assert await answers(world) == [(4_000, "done")]
    assert outcome is not None
    await relay.record([outcome])
    await world.work()
    assert await answers(world) == [(4_000, "done")]


@pytest.mark.parametrize("days", [0, 3])
async def test_a_restored_database_refunds_nothing_twice(world: World, owner_url: str, days: int) -> None:
    """Also when Stripe has forgotten the keys: its refunds name the request."""
    charges = await pays(world, 5_000, 2_000)
    backup, sent = Backup(owner_url), asked(3_000)
    await backup.make()
    await handlers.refund(world.db, [sent], clock=world.clock)
    await world.work()
    await backup.restore()
    later(world, days=days)
    await pays(world, 9_000)
    await handlers.refund(world.db, [sent], clock=world.clock)
    await world.work()
    assert refunded(world) == [(charges[1], 2_000), (charges[0], 1_000)]
    assert await answers(world) == [(3_000, "done")]


async def test_a_key_that_may_not_refund_stops_no_transfer(world: World) -> None:
    await pays(world, 5_000)
    world.control.add_fault(
        "refuse", method="POST", path=REFUNDS, code="more_permissions_required", status=403
    )
    await ask(world, 4_000)
    await world.payee("i1")
    await world.earned("i1", 3_000)
    await world.work()
    assert (await answers(world), world.paid()) == ([(0, "refused")], [3_000])


async def test_while_stripe_does_not_say_what_was_refunded_nothing_is(world: World) -> None:
    [charge] = await pays(world, 5_000)
    world.control.add_fault("unavailable", method="GET", path=REFUNDS)
    await ask(world, 4_000)
    pauses = []  # each as long as the request is old, within bounds
    for minutes in (0, 2, 60):
        later(world, minutes=minutes)
        await world.work()
        [request] = await world.rows("SELECT sentence, due_at FROM refund_request")
        assert request.sentence.startswith("cannot see what was refunded")
        pauses.append((request.due_at - world.clock()).total_seconds())
    assert refunded(world) == []
    assert pauses == [pytest.approx(wanted, abs=4) for wanted in (5, 120, 600)]
    world.control.clear_faults()
    later(world, minutes=11)
    await world.work()
    assert refunded(world) == [(charge, 4_000)]


@pytest.mark.parametrize("point", ["payouts.refunds_ordered", "payouts.refund_settled"])
async def test_a_process_that_dies_has_written_nothing_and_the_next_goes_on(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [charge] = await pays(world, 5_000)
    sent = await ask(world, 4_000)

    async def die(reached: str, *_: object) -> None:
        if reached == point:
            raise Died

    with monkeypatch.context() as dying:
        dying.setattr("services.payouts.steps.refunds.fault_point", die)
        with pytest.raises(Died):
            await world.work()
    later(world, minutes=10)  # leases end
    await handlers.refund(world.db, [sent], clock=world.clock)
    await world.work()
    assert refunded(world) == [(charge, 4_000)]
    assert await answers(world) == [(4_000, "done")]


async def test_a_parked_refund_is_decided_by_a_person_and_nothing_is_answered_before(world: World) -> None:
    """Its effect was made, and nothing is known of it: the student's line stands."""
    [charge] = await pays(world, 5_000)
    world.control.add_fault("reset", when="after", method="POST", path=REFUNDS, count=1)
    await ask(world, 4_000)
    await world.refunds().step()
    await world.once()
    world.clock.advance(hours=13)
    world.control.add_fault("unavailable", method="GET", path=REFUNDS)
    patient, world.policy = world.policy, replace(world.policy, lookups_max=1)
    await world.once()
    world.policy = patient
    world.control.clear_faults()
    await world.work()
    assert [o.state for o in await world.operations(Kind.REFUND)] == ["parked"]
    assert await answers(world) == []
    ruling = await unpark(world, ANNA)
    assert ruling.outcome == "done", ruling.sentence
    await world.work()
    assert (refunded(world), await answers(world)) == ([(charge, 4_000)], [(4_000, "done")])


async def unpark(world: World, wallet: str) -> DecisionTaken:
    return await answered(world.db, ACTIONS, decision("payouts", "unpark", wallet, {}, why="looked"))


class Died(BaseException):
    """The process ends: nobody catches it."""


async def test_the_database_answers_once_and_knows_students_only(world: World) -> None:
    await pays(world, 5_000)
    await ask(world, 4_000)
    await world.work()
    with pytest.raises(DBAPIError, match="is answered"):
        await world.rows("UPDATE refund_request SET refunded = 1 RETURNING 1")
    await handlers.refund(world.db, [asked(100, wallet="instructor:i1")], clock=world.clock)
    assert [row.reason for row in await world.rows("SELECT reason FROM dead_letter")] == ["not_a_student"]
