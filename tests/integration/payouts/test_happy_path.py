"""A posted journal becomes money on the payee's account."""

from fleet.envelope import uuid7
from tests.integration.payouts.world import World


async def test_a_flight_pays_its_instructor_once_and_says_so(world: World) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    await world.earned("i1", 8750)
    assert await world.states() == ["pending"]

    await world.work()

    [transfer] = await world.transfers()
    assert (transfer.state, transfer.amount, transfer.stripe_account) == ("sent", 8750, account)
    assert world.paid() == [8750]
    assert await world.history(transfer.id) == ["pending", "sending", "sent"]
    assert (transfer.clawback_until - transfer.sent_at).total_seconds() == 72 * 3600
    [journal] = await world.published("journal.requested")
    assert journal["source"] == f"transfer:{transfer.id}"
    assert [(e["wallet"], e["amount"]) for e in journal["entries"]] == [
        ("instructor:i1", -8750),
        ("external:stripe", 8750),
    ]
    [sent] = await world.published("transfer.sent")
    assert sent["stripe_transfer_id"] == transfer.stripe_transfer_id
    assert len(sent["sources"]) == 1


async def test_a_replayed_journal_pays_nobody_twice(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    sent = await world.journal("instructor:i1", 8750)
    await world.work()
    await world.hand(sent)
    await world.work()
    assert world.paid() == [8750]


async def test_a_journal_replayed_after_the_inbox_was_pruned_pays_nobody_twice(world: World) -> None:
    """The second, permanent barrier: one payable per journal and wallet."""
    world.control.fund(100_000)
    await world.payee("i1")
    sent = await world.journal("instructor:i1", 8750)
    await world.work()
    again = sent._replace(headers={**sent.headers, "ce_id": str(uuid7())})
    await world.hand(again)
    await world.work()
    assert world.paid() == [8750]
    assert len(await world.rows("SELECT * FROM payable")) == 1
