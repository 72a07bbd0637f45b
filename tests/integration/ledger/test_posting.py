from fleet.database import Database
from fleet.envelope import uuid7
from tests.integration.ledger.books import FLIGHT, NOON, ask, balances, journals, letters, only, requested

WORKED_EXAMPLE = (
    ("student:student-01", -36151),
    ("instructor:instructor-01", 8750),
    ("aircraft_owner:owner-01", 15600),
    ("liability:tax", 1201),
    ("platform:school", 10600),
)


async def test_a_flight_is_posted_and_told_with_the_balances_after(ledger: Database) -> None:
    [posted] = await ask(ledger, requested("flight:F123:1", WORKED_EXAMPLE, memo="flight F123"))
    assert (posted.topic, posted.key) == ("journal.posted", "flight:F123:1")
    body = posted.body
    assert body["source"] == "flight:F123:1"
    assert (body["event_type"], body["currency"], body["memo"]) == ("flight", "USD", "flight F123")
    assert body["occurred_at"] == NOON.isoformat().replace("+00:00", "Z")
    assert [(e["wallet"], e["amount"], e["balance_after"], e["version"]) for e in body["entries"]] == [
        (wallet, amount, amount, 1) for wallet, amount in WORKED_EXAMPLE
    ]
    assert await balances(ledger) == dict(WORKED_EXAMPLE)


async def test_a_card_payment_and_its_fee_leave_what_stripe_holds(ledger: Database) -> None:
    await ask(
        ledger,
        requested("charge:ch_1", (("student:s-1", 40000), ("external:stripe", -40000))),
        requested("charge-fee:ch_1", (("platform:school", -1190), ("external:stripe", 1190))),
    )
    assert await balances(ledger) == {
        "student:s-1": 40000,
        "external:stripe": -38810,
        "platform:school": -1190,
    }


async def test_a_batch_continues_every_wallet_in_its_order(ledger: Database) -> None:
    told = await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(1, 21)))
    platform = [event.body["entries"][2] for event in told]
    assert [(e["balance_after"], e["version"]) for e in platform] == [(40 * n, n) for n in range(1, 21)]
    [later] = await ask(ledger, requested("flight:F21:1"))
    assert later.body["entries"][2] == {
        "wallet": "platform:school",
        "amount": 40,
        "balance_after": 840,
        "version": 21,
    }


async def test_the_same_event_again_changes_and_tells_nothing(ledger: Database) -> None:
    record = requested()
    assert len(await ask(ledger, record)) == 1
    assert await ask(ledger, record, record) == []
    assert await balances(ledger) == dict(FLIGHT)


async def test_who_asks_again_is_told_the_same_event_again(ledger: Database) -> None:
    """Byte for byte and under the same id: whoever had the answer drops it, whoever lost it gets it."""
    [first] = await ask(ledger, requested(memo="as asked first"))
    await ask(ledger, requested("flight:F2:1"))
    again = await ask(ledger, requested(memo="in other words"), requested())
    assert again == [first, first]
    assert first.event_id.hex[12:] == first.body["journal_id"].replace("-", "")[12:]
    assert await balances(ledger) == {wallet: 2 * amount for wallet, amount in FLIGHT}


async def test_the_same_source_with_other_content_is_refused_and_kept_for_a_person(ledger: Database) -> None:
    await ask(ledger, requested())
    other = requested(legs=(("student:s-1", -1), ("platform:school", 1)))
    events = await ask(ledger, other)
    assert len(events) == 2
    for event in (only(events, "journal.refused"), only(events, "ledger.dead")):
        assert event.body["reason"] == "source_reused"
        assert "already posted with other content" in event.body["sentence"]
    assert await letters(ledger) == [("source_reused", "flight:F1:1")]
    assert await balances(ledger) == dict(FLIGHT)


async def test_two_requests_of_one_source_in_one_batch_post_once(ledger: Database) -> None:
    first, again = await ask(ledger, requested(), requested())
    assert first == again
    assert await journals(ledger) == ["flight:F1:1"]
    assert await balances(ledger) == dict(FLIGHT)


async def test_of_two_contents_for_one_source_in_one_batch_the_first_stands(ledger: Database) -> None:
    other = requested(legs=(("student:s-1", -1), ("platform:school", 1)))
    told = await ask(ledger, requested(), other)
    assert sorted(event.topic for event in told) == ["journal.posted", "journal.refused", "ledger.dead"]
    assert await balances(ledger) == dict(FLIGHT)


async def test_currencies_of_one_wallet_have_their_own_balances_and_versions(ledger: Database) -> None:
    await ask(ledger, requested("flight:F1:1"))
    [euros] = await ask(ledger, requested("flight:F2:1", currency="EUR"))
    assert [(e["balance_after"], e["version"]) for e in euros.body["entries"]] == [
        (-100, 1),
        (60, 1),
        (40, 1),
    ]
    assert await balances(ledger) == dict(FLIGHT)


async def test_a_journal_remembers_when_it_was_true_when_it_was_known_and_who_asked(ledger: Database) -> None:
    event_id = uuid7()
    [posted] = await ask(ledger, requested(ce_id=event_id))
    async with ledger.transaction() as tx:
        row = await tx.one("SELECT * FROM ledger_public.journals")
    assert row.occurred_at == NOON
    assert row.recorded_at.isoformat().replace("+00:00", "Z") == posted.body["recorded_at"]
    assert (row.request_event_id, row.recorded_by) == (event_id, "hobbs_ledger")


async def test_an_empty_batch_and_a_batch_of_refusals_are_fine(ledger: Database) -> None:
    assert await ask(ledger) == []
    told = await ask(ledger, requested(legs=()))
    assert sorted(event.topic for event in told) == ["journal.refused", "ledger.dead"]
