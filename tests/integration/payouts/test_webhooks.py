"""Webhooks that prove an effect, repeat, arrive out of order or are wrong; each has its effect once."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from fleet import faults
from fleet.envelope import first_cause
from fleet.isolate import isolate
from services.payouts import store
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import MoneyToMove, order_reversal
from services.payouts.stripe import webhooks
from tests.integration.payouts.world import World


async def given_sent(world: World, *amounts: int, **settings: Any) -> str:
    """A payee with transfers sent; its account."""
    world.control.fund(1_000_000)
    account = await world.payee("i1", **settings)
    await world.earned("i1", *amounts)
    await world.work()
    return account


async def deliver(world: World, *kinds: str) -> None:
    """Hand over what the simulated Stripe would have sent of these types, in its order."""
    for event in world.control.events():
        if event["type"] in kinds:
            await world.webhook(
                event["type"],
                event["data"]["object"],
                account=event.get("account"),
                event_id=event["id"],
            )


async def test_transfer_created_completes_an_operation_before_its_answer_is_recorded(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 700)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    outcome = await relay.call(claimed)
    assert outcome is not None
    await deliver(world, "transfer.created")
    assert await world.states() == ["sent"]
    assert await relay.record([outcome]) == 0
    assert len(await world.published("journal.requested")) == 1
    assert len(await world.published("transfer.sent")) == 1


async def test_transfer_created_after_the_answer_changes_nothing(world: World) -> None:
    await given_sent(world, 700)
    await deliver(world, "transfer.created")
    assert len(await world.published("journal.requested")) == 1
    assert await world.rows("SELECT * FROM webhook_kept") == []


async def test_transfer_created_takes_an_operation_out_of_its_parking(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 700, 800)
    await world.park("after")
    assert sorted(await world.states()) == ["held", "parked"]
    assert await world.once() == 0
    await deliver(world, "transfer.created")
    await world.work()
    assert await world.states() == ["sent", "sent"]
    assert world.paid() == [700, 800]


async def test_a_transfer_with_another_amount_proves_nothing(world: World) -> None:
    await world.payee("i1")
    await world.earned("i1", 700)
    [operation] = await world.operations()
    thing = {
        "id": "tr_forged",
        "object": "transfer",
        "amount": 701,
        "currency": "usd",
        "destination": await world.account_of("i1"),
        "created": 1,
        "metadata": {"hobbs_operation_id": str(operation.id)},
    }
    await world.webhook("transfer.created", thing)
    assert await world.states() == ["pending"]
    [kept] = await world.rows("SELECT reason FROM webhook_kept")
    assert kept.reason == "effect_differs"


async def test_a_second_effect_of_one_operation_is_reported_never_taken(world: World) -> None:
    await given_sent(world, 700)
    [operation] = await world.operations()
    thing = {
        "id": "tr_second",
        "object": "transfer",
        "amount": 700,
        "currency": "usd",
        "destination": await world.account_of("i1"),
        "created": 1,
        "metadata": {"hobbs_operation_id": str(operation.id)},
    }
    await world.webhook("transfer.created", thing)
    [kept] = await world.rows("SELECT reason FROM webhook_kept")
    assert kept.reason == "second_effect"
    assert [n["kind"] for n in await world.published("notification.requested")][-1] == "second_effect"


async def test_a_repeated_webhook_changes_nothing(world: World) -> None:
    account = await given_sent(world, 700)
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    await deliver(world, "payout.created", "payout.paid")
    before = len(await world.published("payout.settled"))
    await deliver(world, "payout.paid", "payout.created")
    assert before == 1
    assert len(await world.published("payout.settled")) == 1
    assert len(await world.history((await world.transfers())[0].id)) == 4


async def test_a_paid_payout_puts_the_oldest_transfers_in_the_bank(world: World) -> None:
    account = await given_sent(world, 700, 800)
    world.control.trigger("payout.created", account=account)
    await world.earned("i1", 50)
    world.control.advance(2)
    await world.work()
    world.control.advance(3 * 86_400)
    await deliver(world, "payout.paid")
    settled = await world.published("payout.settled")
    assert {t.amount: t.state for t in await world.transfers()} == {
        700: "in_bank",
        800: "in_bank",
        50: "in_bank",
    }
    assert [s["amount"] for s in settled] == [1500, 50]
    assert [len(s["transfers"]) for s in settled] == [2, 1]


async def test_a_transfer_recorded_after_its_payout_still_reaches_the_bank(world: World) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    await world.earned("i1", 700)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    outcome = await relay.call(claimed)
    assert outcome is not None
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    await deliver(world, "payout.paid")
    await relay.record([outcome])
    assert await world.states() == ["in_bank"]


async def test_a_payout_that_comes_back_takes_its_transfers_out_of_the_bank(world: World) -> None:
    account = await given_sent(world, 700)
    payout = world.control.trigger("payout.created", account=account)
    world.control.trigger("payout.paid", payout=payout["id"])
    await deliver(world, "payout.paid")
    assert await world.states() == ["in_bank"]
    world.control.trigger("payout.failed", payout=payout["id"])
    await deliver(world, "payout.failed")
    assert await world.states() == ["sent"]
    assert [s["paid"] for s in await world.published("payout.settled")] == [True, False]
    told = [n["kind"] for n in await world.published("notification.requested")]
    assert told[-2:] == ["payout_in_bank", "payout_failed"] or "payout_failed" in told


async def test_an_old_paid_after_failed_does_not_put_money_in_the_bank(world: World) -> None:
    account = await given_sent(world, 700)
    payout = world.control.trigger("payout.created", account=account)
    world.control.trigger("payout.paid", payout=payout["id"])
    world.control.trigger("payout.failed", payout=payout["id"])
    await deliver(world, "payout.failed")
    await deliver(world, "payout.paid")
    assert await world.states() == ["sent"]


async def test_a_lost_payout_webhook_is_made_up_for_by_reading(world: World) -> None:
    account = await given_sent(world, 700)
    world.control.trigger("payout.created", account=account)
    world.control.advance(3 * 86_400)
    world.clock.advance(minutes=11)
    await world.work()
    assert await world.states() == ["in_bank"]


async def test_an_instant_payout_follows_the_transfer_and_its_fee_is_journaled_once(world: World) -> None:
    await given_sent(world, 10_000, instant_payout=True)
    [payout] = await world.rows("SELECT * FROM payout")
    assert (payout.amount, payout.fee, payout.instant) == (9901, 99, True)
    fees = [j for j in await world.published("journal.requested") if j["event_type"] == "instant_fee"]
    assert [(e["wallet"], e["amount"]) for e in fees[0]["entries"]] == [
        ("instructor:i1", -99),
        ("instructor:i1", 99),
    ]
    world.control.advance(3600)
    await deliver(world, "payout.created", "payout.updated", "payout.paid")
    await world.work()
    assert await world.states() == ["in_bank"]
    assert (
        len([j for j in await world.published("journal.requested") if j["event_type"] == "instant_fee"]) == 1
    )
    [settled] = await world.published("payout.settled")
    assert (settled["amount"], settled["fee"], settled["instant"]) == (9901, 99, True)


async def test_an_instant_payout_that_is_refused_leaves_the_transfer_sent(world: World) -> None:
    world.control.add_fault("balance_insufficient", path="/v1/payouts")
    await given_sent(world, 10_000, instant_payout=True)
    assert await world.states() == ["sent"]
    [operation] = await world.operations("instant_payout")
    assert operation.state == "refused"


async def test_a_reversal_made_by_hand_is_journaled_once(world: World) -> None:
    await given_sent(world, 700)
    [transfer] = await world.transfers()
    for amount in (200, 500):
        await reverse_by_hand(world, transfer.stripe_transfer_id, amount)
        await deliver(world, "transfer.reversed")
        await world.work()
    await deliver(world, "transfer.reversed", "transfer.updated")
    await world.work()
    journals = [j for j in await world.published("journal.requested") if j["event_type"] == "reversal"]
    assert [j["entries"][0]["amount"] for j in journals] == [200, 500]
    assert [r["amount_reversed"] for r in await world.published("transfer.reversed")] == [200, 700]
    assert await world.states() == ["reversed"]
    assert await world.history(transfer.id) == ["pending", "sending", "sent", "partly_reversed", "reversed"]


async def reverse_by_hand(world: World, transfer: str, amount: int) -> None:
    reversals = world.client._client.v1.transfers.reversals
    await reversals.create_async(transfer, {"amount": amount})


async def test_two_partial_reversals_of_ours_are_two_operations(world: World) -> None:
    await given_sent(world, 700)
    [transfer] = await world.transfers()
    for number, amount in enumerate((200, 100)):
        money = MoneyToMove(
            transfer_id=transfer.id,
            wallet=transfer.wallet,
            amount=amount,
            currency="USD",
            trace=first_cause(),
        )
        cause = f"adjustment:{number}"
        order = order_reversal(money, stripe_transfer_id=transfer.stripe_transfer_id, cause=cause)
        async with world.db.transaction() as tx:
            await store.operations.insert(tx, [order], world.clock())
        await world.work()
    await deliver(world, "transfer.reversed")
    await world.work()
    assert [o.state for o in await world.operations(Kind.REVERSAL)] == ["succeeded", "succeeded"]
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.amount_reversed) == ("partly_reversed", 300)
    journals = [j for j in await world.published("journal.requested") if j["event_type"] == "reversal"]
    assert len(journals) == 2


async def test_a_charge_s_fee_is_looked_up_and_published_once(world: World) -> None:
    world.control.set(charge_transaction_after_s=60)
    world.control.trigger("payment_intent.succeeded", amount=40_000)
    await deliver(world, "charge.succeeded")  # balance_transaction is still null
    world.clock.advance(seconds=4)
    await world.rereader().step()
    assert await world.published("charge.settled") == []
    world.control.advance(120)
    await deliver(world, "charge.updated")
    await deliver(world, "charge.succeeded")
    await world.work()
    [settled] = await world.published("charge.settled")
    assert (settled["gross"], settled["fee"], settled["net"]) == (40_000, 1190, 38_810)


async def test_a_question_whose_asker_died_is_asked_again_when_its_lease_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.control.trigger("payment_intent.succeeded", amount=40_000)
    world.control.advance(1)
    await deliver(world, "charge.updated")
    rereader = world.rereader(lease=timedelta(seconds=60))
    with monkeypatch.context() as patched:
        patched.setattr(faults, "_plan", faults.Plan(faults.parse_plan("inquiry.claimed=raise@1"), None))
        with pytest.raises(faults.InjectedFault):
            await rereader.step()
    world.clock.advance(seconds=30)
    assert await rereader.step() == 0
    world.clock.advance(seconds=31)
    assert await rereader.step() == 1
    assert len(await world.published("charge.settled")) == 1


async def test_legacy_transfer_events_count_only_for_transfers(world: World) -> None:
    await given_sent(world, 700)
    [transfer] = await world.transfers()
    await world.webhook("transfer.paid", {"id": "po_123", "object": "payout"})
    await world.webhook("transfer.paid", {"id": transfer.stripe_transfer_id, "object": "transfer"})
    assert await world.states() == ["in_bank"]
    await world.webhook("transfer.failed", {"id": transfer.stripe_transfer_id, "object": "transfer"})
    kept = await world.rows("SELECT reason FROM webhook_kept ORDER BY reason")
    assert [k.reason for k in kept] == ["legacy_failure", "not_a_transfer"]


async def test_unknown_types_are_kept_and_others_matters_are_not(world: World) -> None:
    await world.webhook("radar.early_fraud_warning.created", {"id": "issfr_1", "object": "x"})
    await world.webhook("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"})
    [kept] = await world.rows("SELECT event_type, reason FROM webhook_kept")
    assert (kept.event_type, kept.reason) == ("radar.early_fraud_warning.created", "unknown_type")


async def test_a_transfer_that_names_none_of_our_operations_is_kept(world: World) -> None:
    await world.webhook("transfer.created", {"id": "tr_x", "object": "transfer", "metadata": {}})
    nonsense = {"id": "tr_y", "object": "transfer", "metadata": {"hobbs_operation_id": "nonsense"}}
    await world.webhook("transfer.created", nonsense)
    kept = await world.rows("SELECT reason FROM webhook_kept")
    assert [k.reason for k in kept] == ["foreign_transfer", "foreign_transfer"]


async def test_a_webhook_without_an_object_is_a_dead_letter(world: World) -> None:
    from datetime import UTC, datetime

    from schemas.stripe_webhooks import StripeWebhook
    from tests.support.records import record

    now = datetime.now(UTC)
    event = StripeWebhook(
        event_id="evt_1",
        event_type="account.updated",
        endpoint="platform",
        livemode=False,
        created_at=now,
        received_at=now,
        attested=True,
        body="[]",
    )
    await webhooks.handle_webhooks(
        world.db, [record("stripe.webhook", event)], effect_policy=world.effect_policy, look_now=lambda: None
    )
    [letter] = await world.rows("SELECT reason FROM dead_letter")
    assert letter.reason == "not_a_stripe_event"


async def test_a_webhook_nobody_foresaw_is_buried_alone(world: World) -> None:
    account = await given_sent(world, 700)
    odd = world.webhook_record("payout.paid", {"object": "payout"}, account=account)
    good = world.webhook_record("account.updated", {"id": account, "object": "account"}, account=account)
    handle = partial(
        webhooks.handle_webhooks, world.db, effect_policy=world.effect_policy, look_now=lambda: None
    )
    await isolate(world.db, handle, [good, odd])
    [letter] = await world.rows("SELECT reason FROM dead_letter")
    assert letter.reason == "unforeseen"


async def test_a_lost_reversal_webhook_is_made_up_for_by_reading(world: World) -> None:
    await given_sent(world, 700)
    [transfer] = await world.transfers()
    await reverse_by_hand(world, transfer.stripe_transfer_id, 200)
    world.clock.advance(minutes=11)
    await world.work()
    assert await world.states() == ["partly_reversed"]


async def test_finance_hears_when_the_platform_s_own_balance_is_paid_out(world: World) -> None:
    thing = {"id": "po_1", "object": "payout", "amount": 5000, "currency": "usd", "automatic": True}
    await world.webhook("payout.created", thing)
    [word] = await world.published("notification.requested")
    assert (word["kind"], word["recipient_kind"]) == ("platform_payout", "finance")
    assert "50.00 USD" in word["sentence"]
    assert "switch automatic payouts" in word["sentence"]
