"""A database that was restored from a backup pays nothing twice, whatever it has forgotten."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from fleet.envelope import Record
from services.payouts.domain.reading import Backoff, Starts
from services.payouts.steps import payments
from services.payouts.stripe.adoption import Adoption
from tests.integration.payouts.conftest import empty
from tests.integration.payouts.world import World
from tests.support.payouts import SETTINGS, unhurried

WEEK = "weekly:2026-05-22"


def adoption(world: World) -> Adoption:
    return Adoption(
        world.db,
        world.client,
        unhurried(),
        world.clock,
        effect_policy=world.effect_policy,
        probe_after=SETTINGS.stopped_probe.first,
        starts=Starts(at_once=1_000, each=timedelta(seconds=1)),
        unanswered=Backoff(first=timedelta(), most=timedelta(), ends_after=timedelta(days=1)),
    )


async def forget_everything(owner_url: str) -> None:
    """Restore the backup of a database to which nothing had happened."""
    await empty(owner_url)


async def read_again(world: World, journals: Sequence[Record], **settings: Any) -> None:
    await world.configured("i1", **settings)
    await world.hand(*journals)


async def found(world: World) -> list[Any]:
    return await world.rows("SELECT * FROM found_effect ORDER BY kind, made_at, stripe_id")


async def given_paid(world: World, *amounts: int) -> list[Record]:
    """A payee to whom these were sent, each by a transfer; the journals."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    journals = [world.posted("instructor:i1", amount) for amount in amounts]
    await world.hand(*journals)
    await world.work(rounds=40 + len(amounts))
    return journals


async def accounts_at_stripe(world: World) -> int:
    return len(world.control.state()["accounts"])


async def books(world: World) -> list[tuple[Any, ...]]:
    """The journals that transfers asked for, each source once: the ledger posts no source twice."""
    asked = await world.published("journal.requested")
    return sorted({(j["source"], j["entries"][1]["amount"], j["occurred_at"]) for j in asked})


@pytest.mark.parametrize("later", [timedelta(minutes=4), timedelta(days=3)])
@pytest.mark.parametrize("compared_first", [True, False])
async def test_a_forgotten_transfer_is_adopted_and_not_sent_again(
    world: World, owner_url: str, later: timedelta, *, compared_first: bool
) -> None:
    """Days later Stripe has forgotten the key; nothing is sent that would need it."""
    journals = await given_paid(world, 700, 800)
    before, asked = await world.transfers(), await books(world)
    account = await world.account_of("i1")
    await forget_everything(owner_url)
    world.control.advance(later.total_seconds())
    world.clock.moved += later
    restored = adoption(world)
    assert not restored.compared
    if compared_first:
        await restored.step()
        await read_again(world, journals)
    else:
        await read_again(world, journals)
    await restored.step()
    assert restored.compared
    await world.work()

    assert world.paid() == [700, 800]
    assert await world.account_of("i1") == account
    assert await accounts_at_stripe(world) == 1
    after = await world.transfers()
    assert {t.state for t in after} <= {"sent", "in_bank"}
    names = ("id", "amount", "cause", "stripe_transfer_id", "sent_at", "clawback_until")
    assert {tuple(getattr(t, n) for n in names) for t in after} == {
        tuple(getattr(t, n) for n in names) for t in before
    }
    assert await books(world) == asked
    assert all(row.adopted_at for row in await found(world))


async def test_what_is_decided_again_before_the_comparison_has_the_same_key(
    world: World, owner_url: str
) -> None:
    """The second barrier, if the list of transfers said nothing."""
    journals = await given_paid(world, 700)
    [before] = await world.operations()
    await forget_everything(owner_url)
    await world.payee("i1")
    await world.hand(*journals)
    await world.work()
    assert world.paid() == [700]
    [after] = await world.operations()
    assert (after.id, after.stripe_id) == (before.id, before.stripe_id)
    assert await accounts_at_stripe(world) == 1


async def test_a_transfer_for_a_week_is_found_by_what_it_paid(world: World, owner_url: str) -> None:
    """Journals that are read again after the week was closed would be another transfer."""
    world.control.fund(1_000_000)
    await world.payee("i1", payout_schedule="weekly")
    journals = [world.posted("instructor:i1", amount) for amount in (700, 800, 900)]
    await world.hand(*journals[:2])
    async with world.db.transaction() as tx:
        await payments.close_period(tx, "weekly", WEEK, world.clock())
    await world.work()
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, [journals[0]], payout_schedule="per_flight")
    await restored.step()
    [waiting] = [row for row in await found(world) if row.kind == "transfer"]
    assert "waits for 1 journals that are not read yet: " in waiting.sentence
    assert await world.states() == []  # what it paid is not paid again meanwhile
    await world.hand(*journals[1:])
    await restored.step()
    await ready(world)
    assert sorted(world.paid()) == [900, 1500]
    assert [t.cause for t in await world.transfers() if t.amount == 1500] == [WEEK]


async def ready(world: World) -> None:
    account = await world.account_of("i1")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()


async def test_a_difference_is_paid_next(world: World, owner_url: str) -> None:
    """Billed again by another rate: what Stripe paid stands, and the rest follows."""
    await given_paid(world, 700)
    [source] = [p.source for p in await world.rows("SELECT source FROM payable")]
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, [world.posted("instructor:i1", 750, source=source)])
    await restored.step()
    await ready(world)
    assert sorted(world.paid()) == [50, 700]
    rows = await world.rows("SELECT sum(amount) AS total FROM payable")
    assert rows[0].total == 750


async def test_too_much_is_taken_off_what_is_paid_next(world: World, owner_url: str) -> None:
    await given_paid(world, 700)
    [source] = [p.source for p in await world.rows("SELECT source FROM payable")]
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, [world.posted("instructor:i1", 650, source=source)])
    await restored.step()
    await ready(world)
    assert world.paid() == [700]
    await world.earned("i1", 200)
    await world.work()
    assert sorted(world.paid()) == [150, 700]


async def test_a_webhook_of_an_unknown_operation_is_kept_to_be_adopted(world: World, owner_url: str) -> None:
    journals = await given_paid(world, 700)
    [thing] = (await world.client.transfers_page(None, None)).body["data"]
    await forget_everything(owner_url)
    await world.webhook("transfer.created", thing)
    await world.webhook("transfer.created", thing)  # again, under another event id
    assert [row.kind for row in await found(world)] == ["transfer"]
    await read_again(world, journals)
    assert await world.states() == []
    await adoption(world).step()
    assert await world.states() == ["sent"]
    assert world.paid() == [700]


async def test_a_transfer_that_waited_at_the_backup_is_dissolved_into_the_one_that_paid_it(
    world: World, owner_url: str
) -> None:
    """At the backup two flights waited for the payee; later both were sent, merged with a debit."""
    await given_paid(world)
    wallet = "instructor:i1"
    flights = [world.posted(wallet, 700), world.posted(wallet, 800)]
    debit = world.posted(wallet, -100, event_type="adjustment")
    await world.hand(debit, *flights)
    await world.work()
    paid = world.paid()
    assert sum(paid) == 1400
    await forget_everything(owner_url)
    await read_again(world, flights)  # as it was at the backup: two transfers, no account yet
    assert await world.states() == ["held", "held"]
    restored = adoption(world)
    await restored.step()
    await world.hand(debit)
    await restored.step()
    await ready(world)
    assert world.paid() == paid
    assert sorted(await world.states()) == ["cancelled", "sent", "sent"]


async def test_an_effect_of_an_operation_that_was_parked_at_the_backup_ends_it(world: World) -> None:
    await given_paid(world)
    await world.earned("i1", 700)
    await world.park("after")
    assert await world.states() == ["parked"]
    await adoption(world).step()
    assert await world.states() == ["sent"]
    assert world.paid() == [700]


async def test_what_every_start_finds_is_known(world: World) -> None:
    await given_paid(world, 700, 800)
    started = adoption(world)
    await started.step()
    assert started.compared
    assert await found(world) == []


async def test_transfers_of_others_are_left_alone(world: World) -> None:
    """The school pays by hand from Stripe's dashboard too."""
    await given_paid(world, 700)
    account = await world.account_of("i1")
    await world.client._client.v1.transfers.create_async(
        {"amount": 123, "currency": "usd", "destination": account}
    )
    await adoption(world).step()
    assert await found(world) == []


async def test_nothing_is_claimed_before_the_comparison(world: World) -> None:
    await given_paid(world)
    await world.earned("i1", 700)
    started = adoption(world)
    relay = world.relay()
    relay._may_send = lambda: started.compared
    assert await relay.claim(100) == []
    world.control.add_fault("unavailable", method="GET", path="/v1/transfers")
    await started.step()
    assert await relay.claim(100) == []
    assert await started.check() is not None
    world.control.clear_faults()
    await started.step()
    assert await started.check() is None
    assert len(await relay.claim(100)) == 1


async def test_a_transfer_that_is_released_before_its_effect_is_adopted_is_not_sent(
    world: World, owner_url: str
) -> None:
    """At the backup it waited for the payee, who is ready before the effect is adopted."""
    journals = await given_paid(world, 700)
    account = await world.account_of("i1")
    await forget_everything(owner_url)
    await read_again(world, journals)
    await world.rows("UPDATE payee SET stripe_account = :account, ready = true RETURNING 1", account=account)
    await adoption(world)._compare()
    async with world.db.transaction() as tx:
        await payments.pay(tx, ["instructor:i1"], world.clock())
    world.control.advance(timedelta(days=2).total_seconds())
    assert await world.states() == ["pending"]
    assert await world.relay().claim(100) == []
    await adoption(world).step()
    assert await world.states() == ["sent"]
    assert world.paid() == [700]


async def test_a_refused_key_stops_the_relay_also_before_the_comparison(world: World) -> None:
    world.control.add_fault("unauthorized", method="GET", path="/v1/accounts")
    started, relay = adoption(world), world.relay()
    relay._may_send = lambda: started.compared
    await started.step()
    await relay.claim(100)
    assert "refuses our key" in str(await relay.check())


async def test_more_than_a_page_is_compared(world: World, owner_url: str) -> None:
    journals = await given_paid(world, *[1] * 105)
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, journals)
    await restored.step()
    assert len(world.paid()) == 105
    assert set(await world.states()) == {"sent"}
