"""Rows of the school's Stripe balance: what the books have, what is booked once, what is unexplained."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fleet import faults
from fleet.database import Database
from fleet.decisions import Decision, Person
from fleet.envelope import Record
from schemas.journals import JournalRequested
from services.payouts.desk import reads
from services.payouts.desk.decisions import ACTIONS
from services.receivables.handlers import take_stripe_events
from tests.contract.stripe.test_bank_debits import ACCEPTED
from tests.integration.payouts.balance_rows import (
    broken,
    cash,
    held,
    journals,
    kept_books,
    listed,
    opened,
    posted,
    requested,
    settled,
    standings,
    told,
)
from tests.integration.payouts.world import World
from tests.support.databases import run_statement, service_url
from tests.support.records import record


@pytest.fixture
async def receivables(owner_url: str) -> AsyncIterator[Database]:
    database = Database(service_url(owner_url, "receivables"), schema="receivables", pool_size=5)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
    yield database
    await database.close()


async def given_every_kind_of_row(world: World) -> None:
    """Payments, refunds, disputes (countered, won and lost), a transfer, a reversal, payouts, fees."""
    v1 = world.client._client.v1
    world.control.fund(1_000_000)
    await world.payee("i1")
    await world.earned("i1", 8_750)
    await world.work()
    [transfer] = [one.stripe_transfer_id for one in await world.transfers()]
    await v1.transfers.reversals.create_async(transfer, {"amount": 750})
    paid = world.control.trigger("payment_intent.succeeded", amount=40_000, student="anna")["latest_charge"]
    world.control.trigger("charge.refunded", charge=paid, refund=1_000)
    world.control.trigger("charge.refunded", amount=2_000, card="refundFail", student="anna", refund=500)
    for won in (True, False):
        dispute = world.control.trigger("charge.dispute.created", amount=700, student="anna")
        evidence: Any = {"evidence": {"product_description": "an hour of dual"}, "submit": True}
        await v1.disputes.update_async(dispute["id"], evidence)
        world.control.trigger("charge.dispute.closed", dispute=dispute["id"], won=won)
    await _given_a_debit_that_fails_late(world)
    payout = await v1.payouts.create_async({"amount": 5_000, "currency": "usd"})
    world.control.trigger("payout.failed", payout=payout.id)
    await v1.payouts.create_async({"amount": 6_000, "currency": "usd"})
    await v1.topups.create_async({"amount": 7_000, "currency": "usd", "description": "float"})
    for fee in ("stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"):
        world.control.trigger("balance.moved", type=fee, amount=-200)
    world.control.advance(1)


async def _given_a_debit_that_fails_late(world: World) -> None:
    """With a fee, which Stripe gives back with the payment."""
    v1 = world.client._client.v1
    world.control.set(ach_succeeds_after_s=0.0)
    owner = (await v1.customers.create_async({"metadata": {"hobbs_student": "anna"}})).id
    asked: Any = {"customer": owner, "payment_method": "pm_usBankAccount_success", "confirm": True}
    saved = await v1.setup_intents.create_async(asked | {"mandate_data": ACCEPTED})
    saved = await v1.setup_intents.verify_microdeposits_async(saved.id, {"amounts": [32, 45]})
    paid: Any = {
        "amount": 9_000,
        "currency": "usd",
        "customer": owner,
        "payment_method": saved.payment_method,
        "confirm": True,
        "off_session": True,
        "metadata": {"hobbs_student": "anna"},
    }
    debit = await v1.payment_intents.create_async(paid)
    world.control.advance(1)
    world.control.trigger("bank_debit.failed_late", charge=debit.latest_charge)


async def test_after_each_kind_of_row_the_books_hold_what_stripe_holds(
    world: World, receivables: Database
) -> None:
    world.control.fund(5_000)  # before the first start
    await opened(world)
    await given_every_kind_of_row(world)
    await listed(world)
    await kept_books(world, receivables)
    world.clock.advance(hours=1)
    await listed(world)
    assert {*(await standings(world))} == {"explained"}
    now = await cash(world)
    assert now.pop("stripe") == held(world)
    assert now.pop("books") == held(world) - 5_000
    assert now == {"difference": 5_000, "before": 5_000} | dict.fromkeys(
        ("not_listed", "not_booked", "unexplained", "by_people"), 0
    )
    assert Counter(await journals(world)) == {
        "stripe_topup": 2,
        "stripe_payout": 3,
        "stripe_account_fee": 8,  # two disputes countered, one given back, a debit's, four of the month
    }
    assert await broken(world) == set()


async def test_what_nobody_can_book_is_the_difference_and_is_shown(world: World) -> None:
    await opened(world)
    world.control.trigger("balance.moved", type="adjustment", amount=-300)
    world.control.trigger("balance.moved", type="reserve_transaction", amount=-5_000)
    world.control.trigger("balance.moved", type="money_from_the_moon", amount=11)
    world.control.trigger("balance.moved", amount=-1_500)
    await listed(world)
    await kept_books(world)
    await listed(world)
    assert await standings(world) == {"explained": 1, "unexplained": 3}
    now = await cash(world)
    assert (now["stripe"], now["books"]) == (held(world), -1_500)
    assert now["difference"] == now["unexplained"] == 11 - 300 - 5_000
    assert len({*await told(world)}) == len(await told(world)) == 3
    assert await broken(world) == {"movements_are_explained"}


async def test_a_row_is_booked_once_however_often_it_is_listed(world: World) -> None:
    await opened(world)
    world.control.trigger("balance.moved", amount=-1_500)
    for _ in range(3):
        await listed(world)
        world.clock.advance(hours=1)
    assert await journals(world) == ["stripe_account_fee"]
    [row] = await world.rows("SELECT standing, made_at FROM movement")
    assert row.standing == "waiting"


async def test_after_a_restore_rows_are_listed_again_and_ask_for_the_same_journals(
    world: World, owner_url: str
) -> None:
    await opened(world)
    world.control.trigger("balance.moved", amount=-1_500)
    await listed(world)
    first = await requested(world.db)
    await run_statement(owner_url, "TRUNCATE payouts.movement CASCADE; TRUNCATE payouts.outbox")
    await listed(world)
    assert await requested(world.db) == first != []


@pytest.mark.parametrize(
    "point", ["movements.listed", "movements.noted", "outbox.staged", "transaction.committed"]
)
async def test_who_dies_with_a_page_books_its_rows_once(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await opened(world)
    world.control.trigger("balance.moved", amount=-1_500)
    world.control.trigger("balance.moved", type="adjustment", amount=-300)
    with monkeypatch.context() as patched:
        patched.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
        with pytest.raises(faults.InjectedFault):
            await listed(world)
    await listed(world)
    assert await journals(world) == ["stripe_account_fee"]
    assert len(await told(world)) == 1


async def test_a_platform_with_history_begins_at_its_first_start(world: World) -> None:
    for _ in range(3):
        world.control.trigger("payment_intent.succeeded", amount=40_000, student="anna")
    world.control.advance(1)
    world.control.trigger("balance.moved", amount=-1_500)
    calls = len(world.control.requests())
    await opened(world)
    assert len(world.control.requests()) - calls == 3
    assert await standings(world) == {}
    await listed(world)
    assert (await standings(world), await journals(world)) == ({}, [])
    now = await cash(world)
    assert now["stripe"] == now["before"] == held(world)
    assert await broken(world) == set()


async def test_history_of_more_than_a_page_stays_history(world: World) -> None:
    for _ in range(120):
        world.control.trigger("balance.moved", amount=-1)
    world.control.advance(2)
    world.control.trigger("balance.moved", amount=-1)
    await opened(world)
    await listed(world)
    assert (await standings(world), await journals(world)) == ({}, [])


async def test_a_listing_at_rest_is_one_call(world: World) -> None:
    world.control.fund(5_000)
    await opened(world)
    calls = len(world.control.requests())
    await listed(world)
    [request] = world.control.requests()[calls:]
    assert (request["method"], request["path"]) == ("GET", "/v1/balance_transactions")


async def test_many_rows_are_read_page_by_page_and_a_broken_listing_goes_on(world: World) -> None:
    await opened(world)
    for _ in range(130):
        world.control.trigger("balance.moved", amount=-1)
    world.control.add_fault("unavailable", method="GET", path="/v1/balance_transactions", nth=2)
    await listed(world)
    assert len(await journals(world)) == 100
    world.control.clear_faults()
    await listed(world)
    assert len(await journals(world)) == 130
    [listing] = await world.rows("SELECT * FROM movement_listing")
    assert (listing.begun_at, listing.page_after) == (None, None)


async def test_a_row_that_the_books_lack_is_shown_after_a_day_and_explained_when_they_have_it(
    world: World, receivables: Database
) -> None:
    await opened(world)
    world.control.trigger("payment_intent.succeeded", amount=40_000, student="anna")
    world.control.advance(1)
    await listed(world)
    assert await standings(world) == {"waiting": 1}
    assert (await cash(world))["not_booked"] == held(world)
    world.clock.advance(hours=25)
    await listed(world)
    [row] = await world.rows("SELECT standing, sentence FROM movement")
    assert (row.standing, row.sentence.startswith("the books have no journal charge:ch_")) == (
        "unexplained",
        True,
    )
    assert len(await told(world)) == 1
    await kept_books(world, receivables)
    await listed(world)
    assert await standings(world) == {"explained": 1}
    assert await broken(world) == set()


async def test_a_payment_of_which_no_webhook_told_is_read_and_booked_as_if_one_had(
    world: World, receivables: Database
) -> None:
    """Stripe's event is older than its list; the row of the balance is all that is left."""
    await opened(world)
    charge = world.control.trigger("payment_intent.succeeded", amount=40_000, student="anna")["latest_charge"]
    world.control.advance(1)
    await listed(world)
    await world.work()
    assert await read_payments(world) == []
    world.clock.advance(hours=25)
    await listed(world)
    await listed(world)
    await world.work()
    [told_of] = await read_payments(world)
    await take_stripe_events(receivables, [told_of])
    await world.handle(told_of)
    await world.work()
    await settled(world, receivables)
    asked = await requested(receivables)
    assert {one.source.partition(":")[0] for one in asked} == {"charge", "charge-fee"}
    assert next(one.source for one in asked) == f"charge:{charge}"
    await world.hand(*[posted(one) for one in asked])
    await listed(world)
    assert await standings(world) == {"explained": 1}
    await kept_books(world, receivables)  # the webhooks come after all
    assert len(await requested(receivables)) == len(asked)


async def read_payments(world: World) -> list[Record]:
    async with world.db.transaction() as tx:
        rows = await tx.all("SELECT key, value, raw_headers FROM outbox WHERE topic = 'stripe.webhook'")
    return [
        record("stripe.webhook", row.value, key=row.key.decode(), headers=row.raw_headers) for row in rows
    ]


async def test_a_transfer_that_is_not_ours_is_unexplained(world: World) -> None:
    world.control.fund(10_000)
    account = await world.payee("i1")
    await opened(world)
    by_hand: Any = {"amount": 4_000, "currency": "usd", "destination": account}
    made = await world.client._client.v1.transfers.create_async(by_hand)
    await listed(world)
    world.clock.advance(days=2)
    await listed(world)
    [row] = await world.rows("SELECT sentence FROM movement WHERE standing = 'unexplained'")
    assert row.sentence == f"no transfer of Hobbs is {made.id}"


async def test_a_row_that_moves_another_amount_than_its_journal_stays_open(world: World) -> None:
    await opened(world)
    fee = world.control.trigger("balance.moved", amount=-1_500)
    await listed(world)
    [asked] = await requested(world.db)
    entries = [
        entry.model_copy(update={"amount": entry.amount + (1 if entry.amount > 0 else -1)})
        for entry in asked.entries
    ]
    await world.hand(posted(asked.model_copy(update={"entries": entries})))
    world.clock.advance(days=2)
    await listed(world)
    [row] = await world.rows("SELECT standing, sentence FROM movement")
    assert row.standing == "unexplained"
    assert f"stripe:{fee['id']} move another amount" in row.sentence


async def test_two_rows_never_share_a_journal(world: World) -> None:
    """Two withdrawals for one dispute; the books have one."""
    await opened(world)
    for _ in range(2):
        world.control.trigger(
            "balance.moved", type="adjustment", category="dispute", source="du_1", amount=-700
        )
    await listed(world)
    asked = JournalRequested(
        source="dispute:du_1",
        event_type="dispute",
        currency="USD",
        occurred_at=datetime.now(UTC),
        entries=[
            {"wallet": "liability:disputes", "amount": -700},
            {"wallet": "external:stripe", "amount": 700},
        ],
    )
    await world.hand(posted(asked))
    await listed(world)
    assert await standings(world) == {"explained": 1, "waiting": 1}


async def test_money_that_only_the_books_have_is_found(world: World) -> None:
    await opened(world)
    asked = JournalRequested(
        source="refund:re_nowhere",
        event_type="refund",
        currency="USD",
        occurred_at=datetime.now(UTC) + timedelta(seconds=1),
        entries=[{"wallet": "student:s-1", "amount": -700}, {"wallet": "external:stripe", "amount": 700}],
    )
    await world.hand(posted(asked))
    assert (await cash(world))["not_listed"] == 700
    assert await broken(world) == set(), "its row may come"
    world.clock.advance(days=2)
    await listed(world)
    assert await broken(world) == {"cash_journals_have_their_row"}


async def test_no_listing_begins_while_stripe_refuses_the_key(world: World) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE relay_stop SET since = now(), probe_at = now(), sentence = 'no'")
    calls = len(world.control.requests())
    await opened(world)
    assert len(world.control.requests()) == calls


async def test_a_person_closes_a_row_with_a_reason(world: World) -> None:
    await opened(world)
    row = world.control.trigger("balance.moved", type="reserve_hold", amount=-5_000)
    await listed(world)
    async with world.db.transaction() as tx:
        done = await ACTIONS["close_movement"].judge(tx, decision(row["id"]), world.clock())
        again = await ACTIONS["close_movement"].judge(tx, decision(row["id"]), world.clock())
        assert (done.done, again.done) == (True, False)
        assert "-50.00 USD" in done.sentence
        assert await reads.list_movements(tx, every=False, closed=False, most=9) == []
        [shown] = await reads.list_movements(tx, every=False, closed=True, most=9)
    assert shown["closed_by"] == "operator:finance: a reserve until March"
    assert (await cash(world))["by_people"] == -5_000
    assert await broken(world) == set()


def decision(transaction_id: str) -> Decision:
    return Decision(
        decision_id=uuid4(),
        action="close_movement",
        object=transaction_id,
        parameters={},
        who=Person(name="finance", roles=frozenset(), channel="test"),
        why="a reserve until March",
        dry_run=False,
        requested_at=datetime.now(UTC),
    )
