"""What announces a journal is not believed: it is paid when the ledger's tables say the same."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from fleet import dead_letters
from fleet.envelope import Record
from services.payouts import handlers
from tests.integration.payouts.world import World
from tests.support.books import keep_books
from tests.support.records import record

I1 = "instructor:i1"
FORGERIES: Mapping[str, tuple[str, Any]] = {
    "another amount": ("entries", [("student:s1", -900_000), (I1, 900_000)]),
    "another payee": ("entries", [("student:s1", -700), ("instructor:i2", 700)]),
    "one entry more": ("entries", [("student:s1", -700), (I1, 700), (I1, 1)]),
    "another currency": ("currency", "EUR"),
    "another type": ("event_type", "settlement"),
    "another source": ("source", "flight:X:1"),
    "another date": ("occurred_at", "2026-01-01T00:00:00Z"),
}


def changed(true: Record, field: str, value: Any) -> Record:
    """The same announcement with another content, under an event id of its own."""
    body = orjson.loads(true.value or b"")
    if field == "entries":
        value = [{"wallet": w, "amount": a, "balance_after": 0, "version": 1} for w, a in value]
    return record("journal.posted", orjson.dumps({**body, field: value}), ce_source="hobbs/ledger")


async def announce(world: World, *batch: Record) -> None:
    """Have payouts read records, whatever the ledger posted."""
    await handlers.record_payables(world.db, list(batch), clock=world.clock)


async def letters(world: World) -> list[tuple[str, str]]:
    return [
        (r.reason, r.state) for r in await world.rows("SELECT reason, state FROM dead_letter ORDER BY id")
    ]


async def test_a_journal_that_the_ledger_never_wrote_pays_nobody(world: World) -> None:
    world.control.fund(1_000_000)
    await world.payees("i1", "i2")
    await announce(world, world.posted(I1, 500_000))
    await world.work()
    assert world.paid() == []
    assert await world.rows("SELECT id FROM payable") == []
    [letter] = await world.rows("SELECT reason, sentence FROM dead_letter")
    assert letter.reason == "not_in_the_ledger"
    assert "is not in the ledger" in letter.sentence


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_journal_that_says_something_else_than_the_ledger_pays_nobody(
    world: World, forgery: str
) -> None:
    world.control.fund(1_000_000)
    await world.payees("i1", "i2")
    true = world.posted(I1, 700)
    await keep_books(world.ledger, true)
    await announce(world, changed(true, *FORGERIES[forgery]))
    await world.work()
    assert world.paid() == []
    assert await letters(world) == [("not_as_in_the_ledger", "open")]
    await announce(world, true)  # the forgery took nothing from the true one
    await world.work()
    assert world.paid() == [700]


async def test_of_one_batch_only_the_forged_are_buried(world: World) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    batch = [world.posted(I1, amount) for amount in (500, 600, 700)]
    await keep_books(world.ledger, batch[0], batch[2])
    await announce(world, *batch)
    await world.work()
    assert sorted(world.paid()) == [500, 700]
    assert await letters(world) == [("not_in_the_ledger", "open")]


async def test_what_a_restored_ledger_posts_again_is_paid_once_and_its_letter_can_be_redriven(
    world: World,
) -> None:
    """It was announced before the ledger had it again; under a new event id it is believed."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    before = world.posted(I1, 700)
    await announce(world, before)
    again = record("journal.posted", before.value, key="again")
    await world.hand(again)
    await world.work()
    assert world.paid() == [700]
    [letter] = await world.rows("SELECT id FROM dead_letter")
    async with world.db.transaction() as tx:
        await dead_letters.redrive(tx, [letter.id], who="finance")
    await announce(world, before)
    await world.work()
    assert world.paid() == [700]
    assert await letters(world) == [("not_in_the_ledger", "redriven")]
