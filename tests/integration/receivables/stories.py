"""Stripe webhooks as the gateway attests them, and what receivables asked for because of them."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson

from fleet.database import Database
from fleet.envelope import Record
from schemas.payments import ChargeSettled
from schemas.stripe_fields import reduced
from schemas.stripe_webhooks import StripeWebhook
from tests.support.records import record

AT = 1_779_451_200  # 2026-05-22T12:00:00Z


def webhook(event_type: str, subject: dict[str, Any], event_id: str | None = None, **changed: Any) -> Record:
    """One delivery of a Stripe event; the same `event_id` is the same event delivered again."""
    event_id = event_id or f"evt_{event_type}_{subject.get('id')}"
    body = {"id": event_id, "object": "event", "type": event_type, "data": {"object": subject}}
    event = StripeWebhook.model_validate(
        {
            "event_id": event_id,
            "event_type": event_type,
            "endpoint": "platform",
            "livemode": False,
            "created_at": datetime.fromtimestamp(AT, UTC),
            "received_at": datetime.fromtimestamp(AT, UTC),
            "attested": True,
            "body": json.dumps(reduced(body)),
            **changed,
        }
    )
    return record("stripe.webhook", event, ce_id=event_id, ce_source="stripe")


def charge(charge_id: str = "ch_1", *, student: str | None = "anna", **changed: Any) -> dict[str, Any]:
    metadata = {"hobbs_student": student} if student else {}
    return {
        "id": charge_id,
        "object": "charge",
        "amount": 40_000,
        "amount_captured": 40_000,
        "captured": True,
        "status": "succeeded",
        "currency": "usd",
        "created": AT,
        "payment_intent": charge_id.replace("ch", "pi"),
        "balance_transaction": None,
        "metadata": metadata,
        **changed,
    }


def intent(charge_id: str = "ch_1", *, student: str | None = "anna", **changed: Any) -> dict[str, Any]:
    return {
        "id": charge_id.replace("ch", "pi"),
        "object": "payment_intent",
        "amount": 40_000,
        "amount_received": 40_000,
        "currency": "usd",
        "created": AT,
        "latest_charge": charge_id,
        "metadata": {"hobbs_student": student} if student else {},
        **changed,
    }


def failed_intent(charge_id: str | None = "ch_0", **changed: Any) -> dict[str, Any]:
    error = {"code": "card_declined", "decline_code": "insufficient_funds", "charge": charge_id}
    return intent(latest_charge=charge_id, amount_received=0, last_payment_error=error, **changed)


def refund(charge_id: str = "ch_1", refund_id: str = "re_1", **changed: Any) -> dict[str, Any]:
    return {
        "id": refund_id,
        "object": "refund",
        "amount": 10_000,
        "currency": "usd",
        "created": AT,
        "charge": charge_id,
        "status": "succeeded",
        "balance_transaction": f"txn_{refund_id}",
        **changed,
    }


def dispute(charge_id: str = "ch_1", **changed: Any) -> dict[str, Any]:
    taken = -changed.get("amount", 40_000)
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": 40_000,
        "currency": "usd",
        "created": AT,
        "charge": charge_id,
        "status": "needs_response",
        "balance_transactions": [{"id": "txn_du", "amount": taken, "fee": 1_500, "net": taken - 1_500}],
        **changed,
    }


def settled(charge_id: str = "ch_1", **changed: Any) -> Record:
    event = ChargeSettled.model_validate(
        {
            "charge_id": charge_id,
            "balance_transaction_id": f"txn_{charge_id}",
            "gross": 40_000,
            "fee": 1_190,
            "net": 38_810,
            "currency": "USD",
            "available_at": datetime.fromtimestamp(AT, UTC),
            **changed,
        }
    )
    return record("charge.settled", event, ce_source="hobbs/payouts")


async def staged(db: Database, topic: str) -> list[dict[str, Any]]:
    """Bodies staged for a topic, in their order."""
    async with db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
    return [orjson.loads(row.value) for row in rows]


async def wallets(db: Database) -> dict[str, int]:
    """What the journals asked for so far leave in each wallet; each source once, as the ledger does."""
    journals = {j["source"]: j for j in await staged(db, "journal.requested")}
    totals: Counter[str] = Counter()
    for journal in journals.values():
        for entry in journal["entries"]:
            totals[entry["wallet"]] += entry["amount"]
    return {wallet: amount for wallet, amount in totals.items() if amount}


async def sources(db: Database) -> list[str]:
    return [journal["source"] for journal in await staged(db, "journal.requested")]


async def dead_reasons(db: Database) -> list[str]:
    async with db.transaction() as tx:
        return [row.reason for row in await tx.all("SELECT reason FROM dead_letter ORDER BY id")]


async def digest(db: Database) -> list[Any]:
    """Everything receivables keeps about money, to compare before and after."""
    kept: list[Any] = []
    async with db.transaction() as tx:
        for table in (
            "SELECT charge_id, student, amount, fee FROM charge ORDER BY 1",
            "SELECT refund_id, moved, failed FROM refund ORDER BY 1",
            "SELECT dispute_id, withdrawn, outcome, fees FROM dispute ORDER BY 1",
            "SELECT source, entries FROM posting ORDER BY 1",
            "SELECT charge_id, student FROM unallocated_payment ORDER BY 1",
            "SELECT count(*) FROM outbox",
        ):
            kept.append([tuple(row) for row in await tx.all(table)])
    return kept
