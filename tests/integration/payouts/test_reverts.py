"""A revert stops the money of the journal that it reverts, or takes it back from what is paid next."""

import itertools
from collections.abc import Sequence

import pytest

from fleet.envelope import Record
from fleet.invariants import service_invariants
from tests.integration.payouts.test_webhooks import deliver
from tests.integration.payouts.world import World

I1 = "instructor:i1"


async def owed(world: World) -> int:
    [row] = await world.rows("SELECT coalesce(sum(amount), 0) AS amount FROM payable")
    return int(row.amount)


async def in_order(world: World) -> None:
    """Every invariant of payouts holds."""
    for one in service_invariants("payouts"):
        assert await world.rows(one.sql.replace("::", "\\:\\:")) == [], one.name


async def test_a_held_transfer_of_a_reverted_journal_is_never_sent(world: World) -> None:
    flight = await world.journal(I1, 500)  # nobody has configured the payee: held
    await world.hand(world.revert_of(flight))
    world.control.fund(100_000)
    await world.payee("i1")
    await world.work()
    assert world.paid() == []
    assert await owed(world) == 0
    await world.earned("i1", 700)
    await world.work()
    assert world.paid() == [700]
    await in_order(world)


async def test_a_paid_journal_is_owed_back_and_set_off_against_what_is_earned_next(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    flight = await world.journal(I1, 500)
    await world.work()
    await world.hand(world.revert_of(flight))
    await world.earned("i1", 800)
    await world.work()
    assert world.paid() == [500, 300]
    await in_order(world)


async def test_what_was_decided_and_not_sent_yet_is_withheld(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    flight = await world.journal(I1, 500)
    assert await world.states() == ["pending"]
    await world.hand(world.revert_of(flight))
    assert await world.states() == ["held"]
    await world.work()
    assert world.paid() == []
    await world.earned("i1", 800)
    await world.work()
    assert world.paid() == [800]
    await in_order(world)


async def test_of_several_that_were_not_sent_yet_the_others_are_paid(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.journal(I1, 300)
    flight = await world.journal(I1, 500)
    await world.journal(I1, 900)
    await world.hand(world.revert_of(flight))
    await world.work()
    assert sum(world.paid()) == 1200
    await in_order(world)


async def test_what_waits_for_the_school_s_balance_is_not_sent_when_the_balance_covers_it(
    world: World,
) -> None:
    await world.payee("i1")
    flight = await world.journal(I1, 500)
    await world.once()
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "balance_insufficient")
    await world.hand(world.revert_of(flight))
    world.control.fund(100_000)
    await world.work()
    assert world.paid() == []
    await world.earned("i1", 700)
    await world.work()
    assert world.paid() == [700]
    await in_order(world)


async def test_a_revert_while_the_call_is_under_way_withholds_what_the_balance_did_not_cover(
    world: World,
) -> None:
    await world.payee("i1")
    flight = await world.journal(I1, 500)
    relay = world.relay()
    [operation] = await relay.claim(10)
    await world.hand(world.revert_of(flight))
    outcome = await relay.call(operation)
    assert outcome is not None
    await relay.record([outcome])
    world.control.fund(100_000)
    await world.work()
    assert world.paid() == []
    await in_order(world)


async def test_behind_a_parked_transfer_what_is_reverted_is_withheld_too(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.journal(I1, 100)
    flight = await world.journal(I1, 500)
    await world.park("after")
    await world.hand(world.revert_of(flight))
    assert sorted(await world.states()) == ["held", "parked"]
    await deliver(world, "transfer.created")
    await world.work()
    assert world.paid() == [100]
    await in_order(world)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
async def test_in_whatever_order_a_journal_its_revert_and_the_revert_of_that_come(
    world: World, order: Sequence[int], together: bool
) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    flight = world.posted(I1, 500)
    revert = world.revert_of(flight)
    again = world.revert_of(revert)
    records: list[Record] = [[flight, revert, again][place] for place in order]
    for batch in [records] if together else [[one] for one in records]:
        await world.hand(*batch)
    await world.hand(*records)  # a replay changes nothing
    assert await owed(world) == 500
    await world.work()
    await world.earned("i1", 200)
    await world.work()
    assert sum(world.paid()) == 700
    await in_order(world)


@pytest.mark.parametrize("event_type", ["transfer", "reversal", "instant_fee", "manual", "hold"])
async def test_the_revert_of_a_journal_that_owes_nobody_owes_nobody(world: World, event_type: str) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    other = await world.journal(I1, -500, source=f"{event_type}:1", event_type=event_type)
    await world.hand(world.revert_of(other))
    await world.hand(world.revert_of(world.revert_of(other)))
    await world.work()
    assert (await owed(world), world.paid()) == (0, [])


async def test_only_the_ledger_s_reverts_count_as_reverts(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    flight = await world.journal(I1, 500)
    await world.journal(I1, -500, source="revert:flight:F1:1", event_type="revert")
    await world.journal(I1, -500, source=(world.revert_of(flight).key or b"").decode(), event_type="manual")
    assert await owed(world) == 500
