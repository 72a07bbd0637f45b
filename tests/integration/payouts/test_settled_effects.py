"""A person has a transfer that Stripe made and nothing explains written; the sums are right to the cent."""

from typing import Any

import pytest

from fleet.invariants import ask_all, service_invariants
from tests.integration.payouts.test_adoption import (
    adoption,
    forget_everything,
    found,
    given_paid,
    read_again,
    ready,
)
from tests.integration.payouts.test_decisions import asked, taken
from tests.integration.payouts.world import World


async def the_open_one(world: World) -> Any:
    [row] = [row for row in await found(world) if row.kind == "transfer" and row.adopted_at is None]
    return row


async def settled(world: World, stripe_id: str) -> str:
    """Preview, then decide what was shown; the sentence."""
    preview = await taken(world, asked("settle", stripe_id, dry_run=True))
    assert (await the_open_one(world)).settled_by is None
    answer = await taken(world, asked("settle", stripe_id, preview_hash=preview.preview_hash))
    assert answer.outcome == "done", answer.sentence
    return answer.sentence


async def broken(world: World) -> list[str]:
    outcomes = await ask_all(world.db, service_invariants("payouts"))
    return [outcome.invariant.name for outcome in outcomes if not outcome.holds]


async def test_journals_that_never_come_are_taken_off_what_is_paid_next(world: World, owner_url: str) -> None:
    journals = await given_paid(world, 700)
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, [])  # the journal was made by hand, and the restored ledger has forgotten it
    await restored.step()
    waiting = await the_open_one(world)
    assert (waiting.standing, len(journals)) == ("waiting", 1)
    sentence = await settled(world, waiting.stripe_id)
    assert "is written as paying no journal known here; 7.00 USD is taken off" in sentence
    await restored.step()
    await ready(world)
    assert (await found(world))[-1].settled_by == "operator:ann: because"
    await world.earned("i1", 1000)
    await world.work()
    assert sorted(world.paid()) == [300, 700]
    assert await broken(world) == []


async def test_a_transfer_that_does_not_say_what_it_paid_pays_what_it_names(
    world: World, owner_url: str
) -> None:
    """Releases before 0.2 named neither the transfer nor all that it paid."""
    journals = await given_paid(world, 700)
    [thing] = (await world.client.transfers_page(None, None)).body["data"]
    keys = [key for key in thing["metadata"] if key.startswith(("hobbs_transfer", "hobbs_sources"))]
    await world.client._client.v1.transfers.update_async(thing["id"], {"metadata": dict.fromkeys(keys, "")})
    await forget_everything(owner_url)
    restored = adoption(world)
    await restored.step()
    await read_again(world, journals)
    await restored.step()
    doubtful = await the_open_one(world)
    assert doubtful.standing == "doubtful"
    assert "written as paying 1 journals known here" in await settled(world, doubtful.stripe_id)
    await restored.step()
    await ready(world)
    assert await world.states() == ["sent"]
    await world.earned("i1", 1000)
    await world.work()
    assert sorted(world.paid()) == [700, 1000]
    assert await broken(world) == []


async def test_a_second_effect_of_an_operation_is_taken_off(world: World) -> None:
    await given_paid(world, 700)
    [thing] = (await world.client.transfers_page(None, None)).body["data"]
    await world.client._client.v1.transfers.create_async(  # the same request under a key Stripe forgot
        {
            "amount": 700,
            "currency": "usd",
            "destination": thing["destination"],
            "metadata": thing["metadata"],
        }
    )
    restored = adoption(world)
    await restored.step()
    doubtful = await the_open_one(world)
    assert "this is a second effect" in doubtful.sentence
    await settled(world, doubtful.stripe_id)
    await restored.step()
    assert (await found(world))[-1].standing == "adopted"
    await world.earned("i1", 1000)
    await world.work()
    assert sorted(world.paid()) == [300, 700, 700]
    assert await broken(world) == []


@pytest.mark.parametrize("what", ["account", "nothing"])
async def test_what_is_no_open_transfer_is_refused(world: World, owner_url: str, what: str) -> None:
    await given_paid(world)
    account = await world.account_of("i1")
    await forget_everything(owner_url)
    await adoption(world).step()
    answer = await taken(world, asked("settle", account if what == "account" else "tr_none"))
    assert answer.outcome == "refused"
