"""Each row of the answer table, against a simulated Stripe that really does it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.stripe_limits import LIMITS
from services.payouts import store
from services.payouts.app import relay_limits_of
from services.payouts.domain.orders import MoneyToMove, order_transfer
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.relay import StripeRelay
from tests.integration.payouts.clawback_world import unbroken
from tests.integration.payouts.world import AT_ONCE, World
from tests.support.payouts import SETTINGS
from tests.support.stripe import StripeSim

__all__ = ["unbroken"]


@pytest.fixture
async def impatient(stripe_sim: StripeSim) -> StripeClient:
    return StripeClient(stripe_sim.secret_key, api_base=stripe_sim.api_base, timeout_s=0.3)


@pytest.fixture
async def owed(world: World) -> World:
    """An onboarded instructor with one transfer pending, and money at Stripe."""
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    return world


async def keys(world: World) -> list[str]:
    rows = await world.rows(
        "SELECT idempotency_key FROM attempt JOIN operation ON operation.id = operation_id"
        " WHERE kind = 'transfer' ORDER BY started_at"
    )
    return [row.idempotency_key.split(":")[2] for row in rows]


@pytest.mark.parametrize("fault", ["timeout", "reset"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_no_answer_is_asked_again_with_the_same_key(
    owed: World, impatient: StripeClient, fault: str, when: str
) -> None:
    owed.control.add_fault(fault, when=when, path="/v1/transfers", nth=1)
    await owed.once(owed.relay(impatient))
    assert await owed.states() == ["sending"]
    await owed.work()
    assert await owed.verdicts() == ["unknown", "done"]
    assert await keys(owed) == ["1", "1"]
    assert owed.paid() == [8750]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("conflict", "not_now"),
        ("unavailable", "not_now"),
        ("rate_limit", "slow_down"),
        ("lock_timeout", "slow_down"),
    ],
)
async def test_not_now_is_asked_again_with_the_same_key(owed: World, fault: str, verdict: str) -> None:
    owed.control.add_fault(fault, path="/v1/transfers", nth=1)
    await owed.work()
    assert await owed.verdicts() == [verdict, "done"]
    assert await keys(owed) == ["1", "1"]
    assert owed.paid() == [8750]


async def test_429_slows_the_pacer(owed: World) -> None:
    owed.control.add_fault("rate_limit", path="/v1/transfers", nth=1)
    pace = Pace(LIMITS["live"], reads_per_s=20)
    relay = StripeRelay(
        owed.db,
        owed.client,
        pace,
        owed.clock,
        policy=owed.policy,
        limits=relay_limits_of(SETTINGS),
        effect_policy=owed.effect_policy,
    )
    before = pace.calls.per_s
    await owed.once(relay)
    assert pace.calls.per_s < before


async def test_a_saved_500_after_the_effect_is_looked_up_and_adopted(owed: World) -> None:
    """Stripe replays the 500 for a day: asking again proves nothing, the list does."""
    owed.control.add_fault("server_error", when="after", path="/v1/transfers", nth=1)
    await rested(owed)
    assert await owed.verdicts() == ["server_error"] * 3 + ["adopted"]
    assert await owed.states() == ["sent"]
    assert owed.paid() == [8750]
    [transfer], [effect] = await owed.transfers(), owed.control.effects(kind="transfer")
    assert transfer.stripe_transfer_id == effect["object_id"]


async def test_a_saved_500_before_the_effect_gets_a_new_generation_after_two_clean_lookups(
    owed: World,
) -> None:
    owed.control.add_fault("server_error", when="before", path="/v1/transfers", nth=1)
    await rested(owed)
    assert await owed.verdicts() == ["server_error"] * 3 + ["clean", "clean", "done"]
    assert await keys(owed) == ["1"] * 5 + ["2"]
    assert owed.paid() == [8750]


@pytest.mark.parametrize("verdicts_before", [3, 5])
@pytest.mark.usefixtures("unbroken")
async def test_what_is_proven_unsent_is_merged_with_what_the_payee_owes(
    owed: World, verdicts_before: int
) -> None:
    """The debt comes before the lookups that prove it, or between them and the next request."""
    owed.control.add_fault("server_error", when="before", path="/v1/transfers", nth=1)
    while len(await owed.verdicts()) < verdicts_before:
        await owed.once()
        owed.clock.advance(seconds=2)
    await owed.journal("instructor:i1", -2000, event_type="adjustment")
    await rested(owed)
    assert await owed.states() == ["cancelled", "sent"]
    assert await owed.verdicts() == ["server_error"] * 3 + ["clean", "clean", "done"]
    assert owed.paid() == [6750]
    [merged, _] = await owed.transfers()
    assert await owed.history(merged.id) == ["pending", "sending", "pending", "cancelled"]


async def test_502_is_asked_again_and_then_looked_up(owed: World) -> None:
    owed.control.add_fault("bad_gateway", when="after", path="/v1/transfers", count=5)
    await rested(owed)
    assert await owed.verdicts() == ["server_error"] * 3 + ["adopted"]
    assert owed.paid() == [8750]


async def test_a_short_balance_holds_and_a_new_generation_follows_the_money(world: World) -> None:
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.once()
    [held] = await world.transfers()
    assert (held.state, held.reason) == ("held", "balance_insufficient")
    assert len(await world.published("notification.requested")) == 2  # onboarding, and finance

    world.control.fund(8749)
    assert await world.treasury().step() == 0
    world.control.fund(1)
    await world.work()
    assert await world.states() == ["sent"]
    assert await keys(world) == ["1", "2"]
    assert await world.history(held.id) == ["pending", "sending", "held", "pending", "sending", "sent"]
    assert world.paid() == [8750]


async def test_money_that_comes_back_pays_the_oldest_first(world: World) -> None:
    await world.payee("i1")
    await world.payee("i2")
    await world.journal("instructor:i1", 9000)
    await world.once()
    await world.journal("instructor:i2", 1000)
    assert await world.once() == 0, "a younger transfer does not overtake money that waits"
    world.control.fund(9500)
    await world.work()
    assert world.paid() == [9000]
    world.control.fund(500)
    await world.work()
    assert world.paid() == [9000, 1000]


async def test_a_closed_account_is_refused_and_its_other_money_held(owed: World) -> None:
    account = await owed.account_of("i1")
    await owed.earned("i1", 500)
    owed.control.onboard(account, "close")
    await owed.once()
    first, second = await owed.transfers()
    assert (first.state, first.reason) == ("refused", "account_invalid")
    assert (second.state, second.reason) == ("held", "payee_not_ready")
    [refused] = await owed.published("transfer.refused")
    assert refused["transfer_id"] == str(first.id)
    assert owed.paid() == []


async def test_a_refused_transfer_is_sent_again_by_itself_once_the_payee_is_ready(owed: World) -> None:
    account = await owed.account_of("i1")
    owed.control.onboard(account, "restrict")
    await owed.once()
    assert await owed.states() == ["refused"]
    owed.clock.advance(minutes=1)
    await owed.work()  # reads that the account is not ready
    assert await owed.states() == ["refused"]
    owed.control.onboard(account)
    await owed.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await owed.work()
    assert await owed.states() == ["sent"]
    assert await keys(owed) == ["1", "2"]
    assert owed.paid() == [8750]


async def test_one_key_with_other_parameters_stops_the_operation(owed: World) -> None:
    [operation] = await owed.operations()
    await made_by_hand(owed, key=f"op:{operation.id}:1", amount=1)
    await owed.once()
    [transfer] = await owed.transfers()
    assert (transfer.state, transfer.reason) == ("parked", "idempotency_error")
    assert len(await owed.published("transfer.parked")) == 1


async def test_a_refused_key_stops_every_relay_until_it_is_put_right(owed: World) -> None:
    owed.control.add_fault("unauthorized", method="*", path="/v1/*")
    relay, other = owed.relay(), owed.relay()
    [first] = await relay.claim(100)
    outcome = await relay.call(first)
    assert outcome is not None
    await relay.record([outcome])
    assert await relay.check() is not None
    owed.clock.advance(seconds=60)
    assert await other.claim(100) == [], "nothing is claimed while stopped, and the probe fails"
    assert await other.check() is not None
    owed.control.clear_faults()
    assert await other.claim(100) == [], "the probe has to wait its time"
    owed.clock.advance(seconds=70)  # as long as it has been refused
    assert await other.claim(100) == []
    assert await other.check() is None
    await owed.work()
    assert owed.paid() == [8750]


# Still unknown after twelve hours


async def unknown(world: World, when: str) -> None:
    world.control.add_fault("reset", when=when, path="/v1/transfers", count=1)
    await world.once()
    assert await world.verdicts() == ["unknown"]
    world.control.clear_faults()


async def test_after_12_hours_the_effect_is_looked_up_and_adopted(owed: World) -> None:
    await unknown(owed, "after")
    owed.clock.advance(hours=13)
    await rested(owed)
    assert await owed.verdicts() == ["unknown", "adopted"]
    assert owed.paid() == [8750]


async def test_after_12_hours_two_clean_lookups_start_a_new_generation(owed: World) -> None:
    await unknown(owed, "before")
    owed.clock.advance(hours=13)
    await rested(owed)
    assert await owed.verdicts() == ["unknown", "clean", "clean", "done"]
    assert owed.paid() == [8750]


async def test_a_key_that_stripe_pruned_is_never_sent_again(owed: World) -> None:
    """After 24 h the same key would pay a second time."""
    await unknown(owed, "after")
    owed.clock.advance(hours=25)
    owed.control.advance(25 * 3600)
    await rested(owed)
    assert await owed.states() == ["sent"]
    assert owed.paid() == [8750]


async def test_an_operation_claimed_in_time_is_not_sent_when_its_key_grew_old_meanwhile(owed: World) -> None:
    await unknown(owed, "after")
    owed.clock.advance(hours=11.99)
    relay = owed.relay()
    [claimed] = await relay.claim(1)
    owed.clock.advance(hours=0.1)
    assert await relay.call(claimed) is None


async def test_an_unnamed_transfer_of_the_same_amount_parks_the_operation(owed: World) -> None:
    await unknown(owed, "before")
    await made_by_hand(owed, amount=8750)
    owed.clock.advance(hours=13)
    await rested(owed)
    [transfer] = await owed.transfers()
    assert (transfer.state, transfer.reason) == ("parked", "effect_unclear")


async def test_what_is_found_with_another_amount_is_not_adopted(owed: World) -> None:
    await unknown(owed, "before")
    [operation] = await owed.operations()
    await made_by_hand(owed, amount=8751, metadata={"hobbs_operation_id": str(operation.id)})
    owed.clock.advance(hours=13)
    await rested(owed)
    [transfer] = await owed.transfers()
    assert (transfer.state, transfer.reason) == ("parked", "effect_differs")
    assert "8751" in transfer.sentence


async def test_lookups_that_keep_failing_park_the_operation(owed: World) -> None:
    await unknown(owed, "before")
    owed.control.add_fault("unavailable", method="GET", path="/v1/transfers")
    owed.policy = replace(AT_ONCE, lookups_max=3)
    owed.clock.advance(hours=13)
    await rested(owed)
    [transfer] = await owed.transfers()
    assert (transfer.state, transfer.reason) == ("parked", "outcome_unknown")


async def test_a_parked_operation_blocks_further_money_to_that_payee_only(owed: World) -> None:
    await test_lookups_that_keep_failing_park_the_operation(owed)
    owed.control.clear_faults()
    await owed.payee("i2")
    await owed.earned("i1", 111)
    await owed.earned("i2", 222)
    await owed.work()
    by_amount = {t.amount: (t.state, t.reason) for t in await owed.transfers()}
    assert by_amount[111] == ("held", "parked_operation")
    assert by_amount[222] == ("sent", None)


async def test_what_was_decided_while_another_was_being_parked_waits_behind_it(owed: World) -> None:
    """A handler may have looked at the payee a moment before: the line itself keeps its transfer back."""
    await owed.earned("i1", 111)
    await owed.park("before")
    assert await owed.states() == ["parked", "held"]
    async with owed.db.transaction() as tx:
        [waiting] = await tx.all("SELECT * FROM transfer WHERE state = 'held'")
        money = MoneyToMove(
            transfer_id=waiting.id,
            wallet=waiting.wallet,
            amount=waiting.amount,
            currency=waiting.currency,
            trace=first_cause(),
        )
        order = order_transfer(
            money, destination=await account(tx), source=waiting.cause, sources=[waiting.cause]
        )
        await store.operations.insert(tx, [order], owed.clock())
    assert [o.state for o in await owed.operations()] == ["parked", "due"]
    assert await owed.relay().claim(100) == []


async def account(tx: Tx) -> str:
    found: str = (await tx.one("SELECT stripe_account FROM payee")).stripe_account
    return found


async def made_by_hand(world: World, *, key: str | None = None, **params: Any) -> None:
    """A transfer to our payee that this service did not ask for."""
    options: Any = {"idempotency_key": key} if key else {}
    given: Any = {"currency": "usd", "destination": await world.account_of("i1"), **params}
    await world.client._client.v1.transfers.create_async(given, options)


async def rested(world: World) -> None:
    """Work with the gaps between lookups passing by themselves."""
    for _ in range(12):
        await world.work()
        world.clock.moved += timedelta(seconds=15)
