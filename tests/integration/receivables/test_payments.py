"""Each payment, refund and dispute reaches the ledger once, in any order, however often it is told."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from fleet.database import Database
from fleet.envelope import CONTENT_HEADER, Record
from services.receivables.desk import reads
from services.receivables.handlers import measure_waiting, take_settled_charges, take_stripe_events
from services.receivables.metrics import WAITING
from tests.integration.receivables.stories import (
    charge,
    dead_reasons,
    digest,
    dispute,
    failed_intent,
    intent,
    refund,
    settled,
    sources,
    staged,
    wallets,
    webhook,
)
from tests.support.invariants import broken_invariants
from tests.support.records import record

PAID = {"student:anna": 40_000, "external:stripe": -40_000}


async def take(db: Database, *batch: Record) -> None:
    """Hand each record to the handler of its topic, one batch of one at a time."""
    for one in batch:
        handler = take_settled_charges if one.topic == "charge.settled" else take_stripe_events
        await handler(db, [one])


def story(charge_id: str = "ch_1") -> list[Record]:
    """A charge that is paid, settled, partly refunded twice (once in vain), disputed and lost."""
    again = refund(charge_id, f"re_2_{charge_id}", amount=500)
    lost = dispute(charge_id, id=f"du_{charge_id}", amount=2_000)
    lost["balance_transactions"] = [{"id": f"txn_du_{charge_id}", "amount": -2_000, "fee": 1_500}]
    return [
        webhook("payment_intent.succeeded", intent(charge_id)),
        webhook("charge.succeeded", charge(charge_id)),
        webhook("charge.updated", charge(charge_id, balance_transaction="txn_1")),
        settled(charge_id),
        webhook(
            "refund.created",
            refund(charge_id, f"re_1_{charge_id}", status="pending", balance_transaction=None),
        ),
        webhook("refund.updated", refund(charge_id, f"re_1_{charge_id}")),
        webhook("charge.refunded", charge(charge_id, amount_refunded=10_500)),
        webhook("refund.created", again),
        webhook("refund.failed", {**again, "status": "failed"}),
        webhook("charge.dispute.created", lost),
        webhook("charge.dispute.closed", {**lost, "status": "lost"}),
    ]


STORY_ENDS = {
    "student:anna": 40_000 - 10_000 - 2_000,
    "external:stripe": -40_000 + 1_190 + 10_000 + 2_000 + 1_500,
    "platform:school": -1_190 - 1_500,
}


async def test_a_payment_is_posted_gross_and_announced(db: Database) -> None:
    await take(db, webhook("charge.succeeded", charge()))
    (journal,) = await staged(db, "journal.requested")
    assert (journal["source"], journal["event_type"], journal["currency"]) == (
        "charge:ch_1",
        "payment",
        "USD",
    )
    assert await wallets(db) == PAID
    (received,) = await staged(db, "payment.received")
    assert (received["charge_id"], received["student"], received["amount"]) == ("ch_1", "anna", 40_000)


async def test_the_fee_is_posted_when_it_is_known(db: Database) -> None:
    await take(db, settled())
    assert await wallets(db) == {}
    await take(db, webhook("charge.succeeded", charge()))
    assert await sources(db) == ["charge:ch_1", "charge-fee:txn_ch_1"]
    assert await wallets(db) == {
        "student:anna": 40_000,
        "external:stripe": -38_810,
        "platform:school": -1_190,
    }


async def test_every_event_that_tells_of_one_payment_posts_it_once(db: Database) -> None:
    for told in (
        webhook("payment_intent.succeeded", intent()),
        webhook("charge.succeeded", charge()),
        webhook("charge.captured", charge()),
        webhook("charge.updated", charge()),
        webhook("charge.refunded", charge()),
    ):
        await take(db, told, told)
    assert await sources(db) == ["charge:ch_1"]
    assert len(await staged(db, "payment.received")) == 1
    assert await dead_reasons(db) == []


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_with_duplicates_ends_the_same(db: Database, seed: int) -> None:
    events = story() * 2
    random.Random(seed).shuffle(events)
    await take(db, *events)
    assert await wallets(db) == STORY_ENDS
    assert len(await staged(db, "payment.received")) == 1
    assert await dead_reasons(db) == []


async def test_replaying_everything_changes_no_row(db: Database) -> None:
    await take(db, *story())
    before = await digest(db)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM inbox")  # as if it had been pruned: the natural keys still hold
    await take(db, *story())
    assert await digest(db) == before


def delivered(content: str, **changed: Any) -> Record:
    """One of several deliveries of the same event by the gateway; `content` is what it says they share."""
    told = webhook("charge.succeeded", charge(), **changed)
    headers = {"ce_source": "hobbs/gateway", "ce_id": str(UUID(int=7)), CONTENT_HEADER: content}
    return told._replace(headers={**told.headers, **headers})


async def test_a_delivery_repeated_later_is_a_duplicate_though_its_bytes_differ(db: Database) -> None:
    later = datetime(2026, 5, 22, 13, tzinfo=UTC)
    await take(db, delivered("abc"), delivered("abc", received_at=later))
    assert await dead_reasons(db) == []
    await take(db, delivered("other", received_at=later))
    assert await dead_reasons(db) == ["event_id_reused"]
    assert await sources(db) == ["charge:ch_1"]


async def test_a_batch_of_many_charges_is_one_transaction_and_the_same_result(db: Database) -> None:
    events = [event for n in range(40) for event in story(f"ch_{n}")]
    random.Random(7).shuffle(events)
    await take_stripe_events(db, [e for e in events if e.topic == "stripe.webhook"])
    await take_settled_charges(db, [e for e in events if e.topic == "charge.settled"])
    assert await wallets(db) == {wallet: 40 * amount for wallet, amount in STORY_ENDS.items()}


async def test_two_workers_on_the_same_charges_never_post_twice_or_deadlock(db: Database) -> None:
    def half(seed: int) -> Sequence[Record]:
        events = [e for n in range(20) for e in story(f"ch_{n}") if e.topic == "stripe.webhook"]
        random.Random(seed).shuffle(events)
        return events

    fees = [settled(f"ch_{n}") for n in reversed(range(20))]
    await asyncio.gather(
        take_stripe_events(db, half(1)), take_stripe_events(db, half(2)), take_settled_charges(db, fees)
    )
    assert await wallets(db) == {wallet: 20 * amount for wallet, amount in STORY_ENDS.items()}
    assert len(await sources(db)) == len(set(await sources(db)))


async def test_an_uncaptured_or_failed_charge_is_no_payment(db: Database) -> None:
    await take(
        db,
        webhook("charge.succeeded", charge("ch_1", captured=False, amount_captured=0)),
        webhook("charge.updated", charge("ch_2", status="pending")),
        webhook("charge.failed", charge("ch_3", status="failed")),
    )
    assert await sources(db) == []
    await take(db, webhook("charge.captured", charge("ch_1", amount_captured=15_000)))
    assert await wallets(db) == {"student:anna": 15_000, "external:stripe": -15_000}


async def test_a_refund_only_the_charge_tells_of_is_found_and_not_posted(db: Database) -> None:
    await take(db, webhook("charge.refunded", charge(amount_refunded=10_000)))
    assert await wallets(db) == PAID
    assert await unexplained(db) == ["ch_1"]
    await take(db, webhook("refund.created", refund()))
    assert await unexplained(db) == []


async def test_a_refund_that_waits_for_the_balance_is_posted_once_it_moved_and_not_before(
    db: Database,
) -> None:
    waits = refund(status="pending", pending_reason="insufficient_funds", balance_transaction=None)
    await take(
        db,
        webhook("charge.succeeded", charge()),
        webhook("charge.refunded", charge(amount_refunded=10_000)),
        webhook("refund.created", waits),
    )
    assert await wallets(db) == PAID
    await measure_waiting(db)
    assert WAITING.labels("refund")._value.get() == 0
    async with db.transaction() as tx:
        assert await reads.payments(tx, "unexplained") == []
        [waiting] = await reads.payments(tx, "refunds_waiting")
    assert (waiting["refund_id"], waiting["student"], waiting["amount"]) == ("re_1", "anna", 10_000)
    await take(db, webhook("refund.updated", refund()))
    assert await wallets(db) == {"student:anna": 30_000, "external:stripe": -30_000}
    async with db.transaction() as tx:
        assert await reads.payments(tx, "refunds_waiting") == []
    assert await broken_invariants(db) == {}


async def test_what_waits_is_measured(db: Database) -> None:
    await take(
        db,
        settled("ch_1"),
        webhook("charge.succeeded", charge("ch_2", student=None)),
        webhook("charge.refunded", charge("ch_3", amount_refunded=1)),
    )
    await measure_waiting(db)
    waiting = {what: WAITING.labels(what)._value.get() for what in ("payment", "student", "refund")}
    assert waiting == {"payment": 1, "student": 1, "refund": 1}


async def unexplained(db: Database) -> list[str]:
    async with db.transaction() as tx:
        return [row.charge_id for row in await tx.all("SELECT * FROM receivables_public.unexplained_refunds")]


async def test_a_failed_payment_tells_its_student_once(db: Database) -> None:
    failed = webhook("payment_intent.payment_failed", failed_intent(), "evt_1")
    told_again = webhook("payment_intent.payment_failed", failed_intent(), "evt_2")
    await take(db, failed, failed, told_again)
    await take_stripe_events(db, [webhook("payment_intent.payment_failed", failed_intent("ch_9"), "evt_3")])
    first, second = await staged(db, "notification.requested")
    assert (first["recipient_kind"], first["recipient"], first["kind"]) == (
        "student",
        "anna",
        "payment_failed",
    )
    assert first["facts"] == {"amount": "40000", "currency": "USD", "code": "insufficient_funds"}
    assert second["about"] == "pi_1"
    assert await sources(db) == []


async def test_a_failure_told_after_the_payment_went_through_notifies_nobody(db: Database) -> None:
    await take(db, webhook("payment_intent.succeeded", intent()))
    await take(db, webhook("payment_intent.payment_failed", failed_intent()))
    assert await staged(db, "notification.requested") == []


async def test_connected_accounts_and_money_going_out_are_left_to_payouts(db: Database) -> None:
    await take(
        db,
        webhook("charge.succeeded", charge(), endpoint="connect", account="acct_1"),
        webhook("transfer.created", {"id": "tr_1"}),
        webhook("account.updated", {"id": "acct_1"}),
    )
    assert await sources(db) == []
    assert await dead_reasons(db) == []


async def test_an_unknown_type_is_kept_whole(db: Database) -> None:
    await take(db, webhook("charge.teleported", {"id": "ch_1", "amount": 5}))
    async with db.transaction() as tx:
        (kept,) = await tx.all("SELECT event_type, body FROM kept_webhook")
    assert kept.event_type == "charge.teleported"
    assert '"teleported"' not in kept.body
    assert "charge.teleported" in kept.body


@pytest.mark.parametrize(
    ("event_type", "subject", "reason"),
    [
        ("charge.succeeded", {"id": "ch_1"}, "stripe_object_unreadable"),
        ("charge.succeeded", charge(amount=10**30, amount_captured=10**30), "stripe_object_unreadable"),
        ("charge.succeeded", charge(created=10**12), "stripe_object_unreadable"),
        ("charge.succeeded", charge(currency="dollars"), "stripe_object_unreadable"),
        ("payment_intent.succeeded", intent(latest_charge=["x"]), "stripe_object_unreadable"),
        ("refund.created", refund(charge=None), "refund_without_charge"),
        ("refund.created", refund(amount=-5), "stripe_object_unreadable"),
        ("charge.dispute.created", dispute(charge=None), "dispute_without_charge"),
    ],
)
async def test_an_object_that_cannot_be_read_is_a_dead_letter(
    db: Database, event_type: str, subject: dict[str, object], reason: str
) -> None:
    good = webhook("charge.succeeded", charge("ch_good"))
    await take_stripe_events(db, [webhook(event_type, subject), good])
    assert await dead_reasons(db) == [reason]
    assert await sources(db) == ["charge:ch_good"]


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"{}", b"[]", b'{"attested": false}', b"x" * 1_100_000]
)
async def test_a_record_that_is_no_webhook_is_a_dead_letter(db: Database, value: bytes | None) -> None:
    await take_stripe_events(db, [record("stripe.webhook", value), record("stripe.webhook", value)])
    assert len(await dead_reasons(db)) == 2
    await take_settled_charges(db, [record("charge.settled", value)])
    assert len(await dead_reasons(db)) == 3


async def test_what_contradicts_a_posted_payment_is_a_dead_letter_and_changes_nothing(db: Database) -> None:
    await take(db, *story())
    before = await wallets(db)
    await take(
        db,
        webhook("charge.updated", charge(amount_captured=1), "evt_other_amount"),
        settled(currency="EUR"),
        settled(balance_transaction_id="txn_other"),
        settled(fee=5, net=5),
        webhook("refund.updated", refund(refund_id="re_1_ch_1", amount=7), "evt_other_refund"),
    )
    assert await dead_reasons(db) == [
        "payment_amount_changed",
        "other_currency",
        "fee_changed",
        "fee_does_not_add_up",
        "amount_changed",
    ]
    assert await wallets(db) == before


async def test_an_odd_refund_inside_a_charge_is_a_dead_letter_and_its_payment_is_posted(db: Database) -> None:
    inside: dict[str, Any] = {"refunds": {"data": [refund(amount=None), refund(refund_id="re_2")]}}
    await take(db, webhook("charge.refunded", charge(amount_refunded=20_000, **inside)))
    assert await sources(db) == ["charge:ch_1", "refund:re_2"]
    assert await dead_reasons(db) == ["stripe_object_unreadable"]


async def test_a_dispute_that_took_more_than_its_amount_is_a_dead_letter(db: Database) -> None:
    taken = dispute()
    more = {"id": "txn_more", "amount": -500, "fee": 0, "net": -500, "currency": "usd"}
    await take(
        db,
        webhook("charge.succeeded", charge()),
        webhook("charge.dispute.created", taken),
        webhook(
            "charge.dispute.funds_withdrawn",
            taken | {"balance_transactions": [*taken["balance_transactions"], more]},
        ),
    )
    assert await sources(db) == ["charge:ch_1", "dispute:du_1", "dispute-fee:txn_du"]
    assert await dead_reasons(db) == ["dispute_does_not_add_up"]


async def test_a_dispute_fee_that_changed_is_a_dead_letter(db: Database) -> None:
    changed = dispute()
    changed["balance_transactions"] = [{"id": "txn_du", "amount": -40_000, "fee": 2_000, "net": -42_000}]
    await take(
        db,
        webhook("charge.succeeded", charge()),
        webhook("charge.dispute.created", dispute()),
        webhook("charge.dispute.updated", changed),
    )
    assert await dead_reasons(db) == ["amount_changed"]
