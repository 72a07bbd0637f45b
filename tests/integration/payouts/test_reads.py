"""How often Stripe is read: by real loops against the simulator, which counts, with a clock that jumps."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
import stripe

from bench.quiet_days import Loops, live_through
from fleet.envelope import uuid7
from services.payouts import metrics, store
from services.payouts.app import listing_policy_of
from services.payouts.domain.accounts import AccountsApi
from services.payouts.domain.operations import Kind, Phase
from services.payouts.domain.reading import Backoff, School, Starts, reads_without_webhooks
from services.payouts.stripe.adoption import Adoption
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.links import answer_links
from services.payouts.stripe.usage import Usage
from tests.integration.payouts.world import World
from tests.support.payouts import SETTINGS, unhurried
from tests.support.stripe import StripeSim

SCHEDULE = SETTINGS.schedule
AUTHORIZATION: Any = {
    "amount": 10_000,
    "currency": "usd",
    "capture_method": "manual",
    "confirm": True,
    "payment_method": "pm_card_visa",
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}


def calls(world: World) -> Counter[str]:
    return Counter(world.control.state()["calls"])


def reads(world: World) -> int:
    return sum(n for endpoint, n in calls(world).items() if endpoint.startswith("GET "))


def loops(world: World) -> Loops:
    """The loops of a service as it is installed."""
    return Loops(
        db=world.db,
        clock=world.clock,
        schedule=SCHEDULE,
        rereader=world.rereader(),
        treasury=world.treasury(SCHEDULE.balance),
        missed_events=world.missed_events(wait=listing_policy_of(SETTINGS).wait),
    )


async def given_trouble(world: World, payees: int) -> None:
    """Payees that nobody onboarded, and a transfer that the balance does not cover."""
    await world.payee("ready")
    if payees:
        await world.configured(*(f"i{n}" for n in range(payees)))
        await world.work()
    await world.earned("ready", 50_000)
    await world.once()


async def inquiry(world: World, kind: str) -> Any:
    [row] = await world.rows("SELECT * FROM inquiry WHERE kind = :kind", kind=kind)
    return row


# The allowance


def through_v1(world: World) -> None:
    """Have accounts made that v1's list shows, so that one call reads them all."""
    world.control.set(v1_accounts=True)
    world.accounts = replace(world.accounts, api=AccountsApi.V1)


async def test_accounts_of_api_v2_are_read_one_by_one(world: World) -> None:
    await world.configured(*(f"i{n}" for n in range(3)))
    await world.work()
    before = calls(world)
    world.clock.advance(seconds=31)
    assert await world.rereader().step() == 3
    assert calls(world) - before == Counter({"GET /v1/accounts": 1, "GET /v1/accounts/{id}": 3})


async def test_days_of_every_trouble_cost_what_the_waits_say(world: World) -> None:
    through_v1(world)
    await given_trouble(world, payees=10)
    before, days = calls(world), timedelta(days=1)
    await live_through(loops(world), days)
    made = calls(world) - before
    school = School(unready=10, settled=0, weekly=0, short=True, charges=0, starts=0)
    expected = reads_without_webhooks(SCHEDULE, school, days)
    assert made["GET /v1/accounts/{id}"] <= 1, "one list call reads them all"
    assert made["GET /v1/accounts"] <= expected["accounts that are not ready"] + 4
    assert abs(made["GET /v1/events"] - expected["list of events"]) <= 2
    assert expected["short balance"] - 3 <= made["GET /v1/balance"] <= expected["short balance"] + 6
    assert sum(made.values()) * 30 < 6_000, "thirty days are far from Stripe's 10,000"


async def test_accounts_that_are_not_ready_cost_one_call_and_nothing_of_them_can_move(world: World) -> None:
    through_v1(world)
    await world.configured(*(f"i{n}" for n in range(12)))
    await world.work()
    before = calls(world)
    world.clock.advance(seconds=31)
    assert await world.rereader().step() == 12
    assert calls(world) - before == Counter({"GET /v1/accounts": 1})


async def test_an_account_that_is_soon_due_is_read_by_anothers_list_call(world: World) -> None:
    through_v1(world)
    await world.configured("i1", "i2")
    await world.work()
    later = await world.account_of("i2")
    async with world.db.transaction() as tx:
        await tx.execute(
            "UPDATE inquiry SET due_at = due_at + interval '20 s' WHERE object_id = :account", account=later
        )
    before = calls(world)
    world.clock.advance(seconds=31)
    assert await world.rereader().step() == 2
    assert calls(world) - before == Counter({"GET /v1/accounts": 1})


async def test_a_webhook_and_a_link_begin_the_waits_again(world: World) -> None:
    await world.configured("i1")
    await world.work()
    account = await world.account_of("i1")
    for _ in range(8):
        world.clock.advance(hours=30)
        await world.work()
    assert (await inquiry(world, "account")).due_at - world.clock() > timedelta(hours=23)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    assert (await inquiry(world, "account")).due_at - world.clock() <= timedelta(seconds=30)
    world.clock.advance(days=3)
    await world.work()
    async with world.db.transaction() as tx:
        await store.links.request(tx, uuid7(), "instructor:i1", "onboarding", world.clock())
    await answer_links(world.db, world.client, unhurried(), SETTINGS, world.clock)
    assert (await inquiry(world, "account")).due_at - world.clock() <= timedelta(seconds=30)


async def test_a_change_that_no_webhook_told_begins_the_waits_again(world: World) -> None:
    account = await world.payee("i1")
    world.control.onboard(account, "restrict", disabled_reason="requirements.past_due")
    world.clock.advance(days=2)
    await world.work()
    [payee] = await world.rows("SELECT ready FROM payee")
    assert not payee.ready, "found by the daily reading"
    assert (await inquiry(world, "account")).due_at - world.clock() <= timedelta(seconds=30)


async def test_money_that_comes_in_is_seen_at_once_however_long_it_was_short(world: World) -> None:
    await given_trouble(world, payees=0)
    treasury = world.treasury(SCHEDULE.balance)
    for _ in range(12):
        await treasury.step()
        world.clock.advance(hours=1)
    await treasury.step()
    world.control.fund(1_000_000)
    before = calls(world)
    world.clock.advance(minutes=2)
    assert await treasury.step() == 0
    assert calls(world) == before, "without a webhook the next look is an hour away"
    treasury.look_now()
    assert await treasury.step() == 1
    await world.work()
    assert world.paid() == [50_000]


async def test_two_processes_look_at_the_balance_as_often_as_one(world: World) -> None:
    await given_trouble(world, payees=0)
    one, other = world.treasury(SCHEDULE.balance), world.treasury(SCHEDULE.balance)
    before = calls(world)
    for _ in range(6):
        await one.step()
        await other.step()
        world.clock.advance(seconds=5)
    assert (calls(world) - before)["GET /v1/balance"] <= 4


async def test_the_list_of_events_is_read_often_again_after_one_was_missing(world: World) -> None:
    events = world.missed_events(wait=SCHEDULE.events)
    for _ in range(6):
        world.clock.advance(minutes=30)
        await events.run()
    before = calls(world)
    world.clock.advance(minutes=20)
    await events.run()
    assert calls(world) == before
    async with world.db.transaction() as tx:
        await store.events.disturb(tx, world.clock())
    await events.run()
    assert (calls(world) - before)["GET /v1/events"] == 1


# The count


async def test_reads_are_counted_by_endpoint_and_kept_over_a_restart(
    world: World, stripe_sim: StripeSim
) -> None:
    usage = Usage(world.db, world.clock)
    client = StripeClient(
        stripe_sim.secret_key, api_base=stripe_sim.api_base, timeout_s=2.0, asked=usage.asked
    )
    await client.balance()
    await client.accounts_page(None)
    usage.settled()
    await usage.save()
    await client.close()
    again = Usage(world.db, world.clock)
    await again.save()
    [row] = await world.rows("SELECT * FROM stripe_usage")
    assert (row.day, row.reads, row.transactions) == (world.clock().astimezone(UTC).date(), 2, 1)
    assert metrics.READS_PER_TRANSACTION._value.get() == 2
    assert again.stretch == 1


async def test_reads_older_than_thirty_days_are_forgotten_and_many_slow_the_loops(world: World) -> None:
    usage = Usage(world.db, world.clock)
    async with world.db.transaction() as tx:
        await store.usage.add(tx, world.clock().date(), 8_000, 0)
    await usage.save()
    assert usage.stretch == 4
    world.clock.advance(days=31)
    await usage.save()
    assert usage.stretch == 1


async def test_loops_wait_longer_while_the_allowance_is_scarce_and_webhooks_do_not(world: World) -> None:
    async with world.db.transaction() as tx:
        await store.usage.add(tx, world.clock().date(), 9_500, 0)
    await world.usage.save()
    await world.configured("i1")
    await world.work()
    account = await world.account_of("i1")
    assert (await inquiry(world, "account")).due_at - world.clock() > timedelta(seconds=400)
    world.control.onboard(account)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    [payee] = await world.rows("SELECT ready FROM payee")
    assert payee.ready


# Ends


@pytest.mark.parametrize("captured", [True, False], ids=["captured", "cancelled"])
async def test_an_authorization_is_read_once_and_again_when_a_webhook_says_more(
    world: World, stripe_sim: StripeSim, captured: bool
) -> None:
    stripe_client = stripe.StripeClient(stripe_sim.secret_key, base_addresses={"api": stripe_sim.api_base})
    intent = stripe_client.v1.payment_intents.create(AUTHORIZATION)
    await world.webhook("charge.succeeded", latest(world, "charge.succeeded"))
    for _ in range(5):
        world.clock.advance(days=1)
        await world.work()
    assert calls(world)["GET /v1/charges/{id}"] == 1
    ended = await inquiry(world, "charge_fee")
    assert ended.ended_because == "the authorization was not captured: no money moved"
    if captured:
        world.control.set(charge_transaction_after_s=0)
        stripe_client.v1.payment_intents.capture(intent.id)
        await world.webhook("charge.captured", latest(world, "charge.captured"))
    else:
        stripe_client.v1.payment_intents.cancel(intent.id)
    world.clock.advance(days=1)
    await world.work()
    assert len(await world.published("charge.settled")) == captured
    assert await world.rows("SELECT * FROM odd_object") == []
    assert ((await inquiry(world, "charge_fee")).ended_at is None) == captured


async def test_an_object_that_is_not_there_is_asked_for_once_and_shown(world: World) -> None:
    gone = {"id": "ch_gone", "object": "charge", "status": "succeeded", "balance_transaction": "txn_1"}
    await world.webhook("charge.succeeded", gone)
    await world.work()
    before = calls(world)
    world.clock.advance(days=40)
    await world.work()
    assert calls(world)["GET /v1/charges/{id}"] == before["GET /v1/charges/{id}"] == 1
    [shown] = await world.rows("SELECT * FROM payouts_public.ended_rereads")
    assert shown.object_id == "ch_gone"
    assert "No such charge" in shown.sentence
    [odd] = await world.rows("SELECT object_id, sentence FROM odd_object")
    assert "No such charge" in odd.sentence


async def test_a_charge_whose_fee_is_never_told_is_tried_some_dozen_times(world: World) -> None:
    world.control.trigger("payment_intent.succeeded", amount=10_000)
    charge = latest(world, "charge.succeeded")
    world.control.add_fault("server_error", method="GET", path="/v1/charges/*", saved=False)
    await world.webhook("charge.succeeded", charge)
    before = calls(world)
    for _ in range(60):
        world.clock.advance(hours=25)
        await world.work()
    assert 40 <= (calls(world) - before)["GET /v1/charges/{id}"] <= 50
    ended = await inquiry(world, "charge_fee")
    assert ended.due_at is None
    assert "it stayed unread" in ended.ended_because


async def test_an_account_that_stripe_no_longer_shows_is_asked_for_a_month(world: World) -> None:
    account = await world.payee("i1")
    world.control.onboard(account, "close")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    before = calls(world)
    for _ in range(60):
        world.clock.advance(hours=25)
        await world.work()
    assert (calls(world) - before)["GET /v1/accounts/{id}"] <= 40
    assert (await inquiry(world, "account")).due_at is None
    [shown] = await world.rows("SELECT kind, sentence FROM payouts_public.ended_rereads")
    assert shown == ("account", "Stripe shows us the account no longer")


# Starts


def started(world: World, starts: Starts) -> Adoption:
    return Adoption(
        world.db,
        world.client,
        unhurried(),
        world.clock,
        effect_policy=world.effect_policy,
        probe_after=timedelta(seconds=15),
        starts=starts,
        unanswered=Backoff(
            first=timedelta(seconds=1), most=timedelta(minutes=5), ends_after=timedelta(days=1)
        ),
    )


async def test_a_process_that_starts_again_and_again_asks_ever_more_seldom(world: World) -> None:
    starts = Starts(at_once=3, each=timedelta(minutes=30))
    for _ in range(3):
        process = started(world, starts)
        await process.step()
        assert process.compared
    before = calls(world)
    crashing = started(world, starts)
    await crashing.step()
    assert not crashing.compared
    assert calls(world) == before
    assert "starts too often" in str(await crashing.check())
    world.clock.advance(minutes=31)
    await crashing.step()
    assert crashing.compared


async def test_a_start_that_stripe_does_not_answer_waits_ever_longer(world: World) -> None:
    world.control.add_fault("unavailable", method="GET", path="/v1/accounts")
    process = started(world, SETTINGS.starts)
    for _ in range(120):
        await process.step()
        world.clock.advance(seconds=1)
    assert calls(world)["GET /v1/accounts"] <= 8
    world.control.clear_faults()
    world.clock.advance(minutes=5)
    await process.step()
    assert process.compared


# The relay


async def test_no_more_of_a_kind_is_claimed_than_its_endpoint_starts_soon(world: World) -> None:
    world.control.fund(10_000_000)
    await world.payees("i1", "i2", "i3", "i4")
    for key in ("i1", "i2", "i3", "i4"):
        await world.earned(key, 1_000)
    await world.configured("new1", "new2")
    claimed = await world.relay().claim(100, {(Kind.TRANSFER, Phase.SEND): 3})
    kinds = Counter(operation.kind for operation in claimed)
    assert kinds == {Kind.TRANSFER: 3, Kind.ACCOUNT: 2}
    assert (await world.relay().claim(100, {(Kind.TRANSFER, Phase.SEND): 3}))[0].kind is Kind.TRANSFER


def latest(world: World, event_type: str) -> dict[str, Any]:
    """The object of the latest event of a type."""
    shown: dict[str, Any] = [e for e in world.control.events() if e["type"] == event_type][-1]["data"][
        "object"
    ]
    return shown
