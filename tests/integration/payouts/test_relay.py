"""Several relays, lost leases and crashes between the phases: one effect, whatever happens."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from fleet import faults
from fleet.database import InsideTransaction
from services.payouts.stripe.relay import StripeRelay
from tests.integration.payouts.world import World


async def given_pending(world: World, payees: int, each: int = 1) -> None:
    """Onboarded payees with transfers pending, and money for all of them."""
    world.control.fund(10_000_000)
    await world.payees(*(f"i{number}" for number in range(payees)))
    for number in range(payees):
        await world.earned(f"i{number}", *(1000 * (number + 1) + step for step in range(each)))


async def finish(world: World, relay: StripeRelay) -> None:
    """Run one relay's loop until nothing is pending or sending."""
    while True:
        await relay.step()
        if not {"pending", "sending"} & set(await world.states()):
            return


async def test_two_relays_never_pay_one_transfer_twice(world: World) -> None:
    await given_pending(world, payees=6, each=5)
    await asyncio.gather(*(finish(world, world.relay()) for _ in range(3)))
    assert await world.states() == ["sent"] * 30
    assert len(world.paid()) == 30
    assert len({e["operation_id"] for e in world.control.effects(kind="transfer")}) == 30


async def test_one_payee_has_one_operation_in_flight_and_is_paid_in_order(world: World) -> None:
    await given_pending(world, payees=1, each=6)
    relays = [world.relay() for _ in range(3)]
    claims = await asyncio.gather(*(relay.claim(100) for relay in relays))
    assert sum(len(claimed) for claimed in claims) == 1
    for relay, claimed in zip(relays, claims, strict=True):
        await relay.record([o for c in claimed if (o := await relay.call(c))])
    await asyncio.gather(*(finish(world, relay) for relay in relays))
    assert world.paid() == [1000, 1001, 1002, 1003, 1004, 1005]


async def test_the_database_itself_refuses_a_second_operation_in_flight(world: World) -> None:
    await given_pending(world, payees=1, each=2)
    await world.relay().claim(1)
    with pytest.raises(IntegrityError, match="one_operation_in_flight_per_account"):
        await world.rows(
            "UPDATE operation SET state = 'in_flight', lease_token = gen_random_uuid(), lease_until = now()"
            " WHERE state = 'due' AND kind = 'transfer' RETURNING id"
        )


async def test_claims_are_made_in_sets(world: World) -> None:
    await given_pending(world, payees=5, each=2)
    claimed = await world.relay().claim(100)
    assert [c.amount for c in claimed] == [1000, 2000, 3000, 4000, 5000]


async def test_a_result_whose_lease_is_lost_is_dropped_and_the_next_owner_hears_the_same(
    world: World,
) -> None:
    await given_pending(world, payees=1)
    slow, quick = world.relay(), world.relay()
    [claimed] = await slow.claim(1)
    outcome = await slow.call(claimed)
    assert outcome is not None
    world.clock.advance(minutes=5)
    [again] = await quick.claim(1)
    assert again.idempotency_key == claimed.idempotency_key

    assert await slow.record([outcome]) == 0
    assert await world.states() == ["sending"]
    assert await world.published("transfer.sent") == []

    other = await quick.call(again)
    assert other is not None
    assert await quick.record([other]) == 1
    assert await world.states() == ["sent"]
    assert await world.verdicts() == ["lease_lost", "done"]
    assert world.paid() == [1000]
    assert len(await world.published("journal.requested")) == 1


async def test_an_operation_ended_when_stripe_answered_however_late_that_is_recorded(world: World) -> None:
    await given_pending(world, payees=1)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    outcome = await relay.call(claimed)
    assert outcome is not None
    read_by = world.clock()
    world.clock.advance(seconds=20)
    assert await relay.record([outcome]) == 1
    [(ended, tried)] = await world.rows(
        "SELECT operation.finished_at, attempt.finished_at FROM operation"
        " JOIN attempt ON attempt.operation_id = operation.id WHERE kind = 'transfer'"
    )
    assert claimed.first_sent_at < ended <= read_by
    assert tried == ended


async def test_a_clock_that_is_hours_wrong_does_not_hide_an_effect(world: World) -> None:
    await given_pending(world, payees=1)
    world.clock.advance(hours=11)
    [claimed] = await world.relay().claim(1)
    assert await world.relay().call(claimed) is not None  # and dies before it records
    world.clock.advance(hours=36)
    world.control.advance(36 * 3600)  # the key is forgotten
    await world.work()
    assert await world.states() == ["sent"]
    assert await world.verdicts() == ["lease_lost", "adopted"]
    assert world.paid() == [1000]


async def test_nothing_is_sent_when_the_lease_is_nearly_over(world: World) -> None:
    await given_pending(world, payees=1)
    relay = world.relay()
    [claimed] = await relay.claim(1)
    world.clock.moved += claimed.lease_until - world.clock() - timedelta(seconds=1)
    assert await relay.call(claimed) is None
    assert world.paid() == []


@pytest.mark.parametrize(
    "point", ["relay.claimed", "relay.before_send", "relay.answered", "relay.mid_record", "relay.recorded"]
)
async def test_a_crash_at_any_point_pays_once(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_pending(world, payees=2)
    dying = world.relay()
    plan = faults.Plan(faults.parse_plan(f"{point}=hang@1"), None)
    monkeypatch.setattr(faults, "_plan", plan)
    task = asyncio.create_task(finish(world, dying))
    await asyncio.wait_for(reached(plan, point), 10)
    await kill(task, *dying._calls)
    monkeypatch.setattr(faults, "_plan", None)

    world.clock.advance(minutes=5)
    await finish(world, world.relay())
    assert await world.states() == ["sent", "sent"]
    assert sorted(world.paid()) == [1000, 2000]
    assert len(await world.published("journal.requested")) == 2
    assert len(await world.published("transfer.sent")) == 2


async def reached(plan: faults.Plan, point: str) -> None:
    while not plan._passes.get(point):  # noqa: ASYNC110 - the plan has no event to wait for
        await asyncio.sleep(0.005)


async def kill(*tasks: "asyncio.Task[Any]") -> None:
    """What a killed process had under way just ends."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_stripe_is_never_called_inside_a_transaction(world: World) -> None:
    await given_pending(world, payees=1)
    [claimed] = await world.relay().claim(1)
    with pytest.raises(InsideTransaction):
        async with world.db.transaction():
            await world.client.perform(claimed)
    assert world.paid() == []


async def test_what_was_decided_cannot_be_changed(world: World) -> None:
    await given_pending(world, payees=1)
    with pytest.raises(IntegrityError, match="frozen"):
        await world.rows("UPDATE operation SET amount = 5 WHERE kind = 'transfer' RETURNING id")


async def test_a_transition_outside_the_table_is_refused_by_the_database(world: World) -> None:
    await given_pending(world, payees=1)
    with pytest.raises(IntegrityError, match="transition_is_in_the_table"):
        await world.rows(
            "INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)"
            " SELECT id, now(), 'pending', 'in_bank', 'test' FROM transfer RETURNING id"
        )


async def test_an_answer_nobody_can_write_down_keeps_no_other_from_being_recorded(world: World) -> None:
    await given_pending(world, payees=3)
    relay = world.relay()
    outcomes = [o for c in await relay.claim(100) if (o := await relay.call(c)) is not None]
    nonsense = {**(outcomes[1].effect or {}), "id": "tr_\x00"}
    outcomes[1] = replace(outcomes[1], effect=nonsense)
    assert await relay.record(outcomes) == 2
    assert sorted(await world.states()) == ["sending", "sent", "sent"]
    world.clock.advance(minutes=5)
    await finish(world, world.relay())
    assert len(world.paid()) == 3


async def test_answers_an_outage_kept_from_being_recorded_are_recorded_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_pending(world, payees=2)
    relay = world.relay()
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan("relay.mid_record=raise@1"), None))
    with pytest.raises(faults.InjectedFault):
        await finish(world, relay)
    await finish(world, relay)
    assert await world.states() == ["sent", "sent"]
    assert await world.verdicts() == ["done", "done"]
    assert len(world.paid()) == 2


async def test_a_drained_relay_leaves_no_answer_behind(world: World) -> None:
    await given_pending(world, payees=3)
    world.control.add_fault("slow", path="/v1/transfers", delay_s=0.3)
    relay = world.relay()
    await relay.step()
    await relay.drain()
    assert await world.states() == ["sent"] * 3


async def test_many_payees_are_paid_at_once(world: World) -> None:
    """Twenty calls of 300 ms each, one after the other, would take six seconds."""
    await given_pending(world, payees=20)
    world.control.add_fault("slow", path="/v1/transfers", delay_s=0.3)
    relay = world.relay()
    begun = asyncio.get_running_loop().time()
    await finish(world, relay)
    assert asyncio.get_running_loop().time() - begun < 5


async def test_an_instant_payout_comes_next_after_its_transfer(world: World) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1", instant_payout=True)
    await world.earned("i1", 10_000, 20_000, 30_000)
    order: list[tuple[str, int]] = []
    while claimed := await world.relay().claim(100):
        order += [(operation.kind, operation.amount or 0) for operation in claimed]
        relay = world.relay()
        await relay.record([o for one in claimed if (o := await relay.call(one)) is not None])
    assert order == [
        ("transfer", 10_000),
        ("instant_payout", 9_901),
        ("transfer", 20_000),
        ("instant_payout", 19_802),
        ("transfer", 30_000),
        ("instant_payout", 29_703),
    ]


async def test_an_instant_payout_does_not_wait_for_a_transfer_that_the_balance_does_not_cover(
    world: World,
) -> None:
    world.control.fund(10_000)
    await world.payee("i1", instant_payout=True)
    await world.earned("i1", 10_000, 20_000)
    await world.work()
    assert [(o.state, o.amount) for o in await world.operations("instant_payout")] == [("succeeded", 9_901)]
    assert sorted(await world.states()) == ["held", "sent"]
