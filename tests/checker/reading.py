"""Reads tables as the owner of the database, topics from their first record, and the simulator's state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.checker.event_rules import SERVICES
from tests.checker.world import Record, Row, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a deployment is."""

    database_url: str
    kafka: str
    prefix: str
    stripe: str


async def read_world(place: Place, school: str, *, is_compared: bool) -> World:
    stripe = await read_stripe(place.stripe)
    return World(
        school=school,
        topics=await read_topics(place),
        tables=await read_tables(place.database_url),
        is_compared=is_compared,
        **stripe,
    )


async def read_tables(url: str) -> dict[str, list[Row]]:
    """The tables that the rules need; bytes as hex, JSON decoded."""
    connection = await asyncpg.connect(url)
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {
                table: [_plain(row) for row in await connection.fetch(query)]
                for table, query in _QUERIES.items()
            }
    finally:
        await connection.close()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}


async def read_topics(place: Place) -> dict[str, list[Record]]:
    """Every record of every topic of the deployment, in each partition's order."""
    places = await _partitions(place)
    # "earliest": the reset to the default, under way since `assign`, may overrule the seek to the beginning.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.kafka,
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        topics: dict[str, list[Record]] = {where.topic.removeprefix(place.prefix): [] for where in places}
        left = {where for where in places if await consumer.position(where) < ends[where]}
        while left:
            for where, batch in (await consumer.getmany(timeout_ms=500)).items():
                topics[where.topic.removeprefix(place.prefix)] += [_record(raw, place) for raw in batch]
            left = {where for where in left if await consumer.position(where) < ends[where]}
        return topics
    finally:
        await consumer.stop()


async def _partitions(place: Place) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await admin.start()
    try:
        names = [n for n in await admin.list_topics() if n.startswith(place.prefix) and n[:2] != "__"]
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    found = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
    if not found:
        raise LookupError(f"there is no topic that begins with {place.prefix!r} at {place.kafka}")
    return found


def _record(raw: Any, place: Place) -> Record:
    return Record(
        topic=raw.topic.removeprefix(place.prefix),
        partition=raw.partition,
        offset=raw.offset,
        value=raw.value,
        headers={name: value.decode("utf-8", "replace") for name, value in raw.headers},
    )


async def read_stripe(url: str) -> dict[str, Any]:
    """The simulator's state, as fields of World."""
    async with httpx.AsyncClient(base_url=f"{url}/_sim/", timeout=30, trust_env=False) as client:

        async def ask(path: str, **params: int) -> Any:
            return (await client.get(path, params=params)).raise_for_status().json()

        events: list[Row] = []
        for thin in (0, 1):
            cursor = 0
            while page := (await ask("events", after=cursor, thin=thin))["events"]:
                events += page
                cursor = page[-1]["cursor"]
        held: dict[str, int] = {}
        state = await ask("state")
        for part in state["balance"].values():
            for currency, amount in part.items():
                held[currency.upper()] = held.get(currency.upper(), 0) + amount
        return {
            "effects": (await ask("effects"))["effects"],
            "events": events,
            "deliveries": (await ask("deliveries", limit=1_000_000))["deliveries"],
            "accounts": state["accounts"],
            "balance": held,
            "transactions": (await ask("transactions"))["transactions"],
        }


_LETTERS = """
    SELECT topic, partition, "offset", identity, subject, payload_hash, reason, state
    FROM {service}.dead_letter
"""
_QUERIES = {
    "billing.bill": """
        SELECT flight_id, revision, corrects, student, charge, margin, legs, currency FROM billing.bill
    """,
    "adjustments.adjustment": """
        SELECT id, flight_id, revision, state, made_by, makers, differences, approvals_needed, content_hash
        FROM adjustments.adjustment
    """,
    # A minute within, as whoever charges looks a moment after the instant that they note.
    "adjustments.in_question": """
        SELECT DISTINCT of.student, adjustment.flight_id,
               (step.at + interval '1 minute')::timestamptz(0)::text AS since,
               (step.until - interval '1 minute')::timestamptz(0)::text AS until
        FROM (SELECT adjustment_id, to_state, at,
                     lead(at) OVER (PARTITION BY adjustment_id ORDER BY id) AS until
              FROM adjustments.adjustment_history) AS step
        JOIN adjustments.adjustment ON adjustment.id = step.adjustment_id
        CROSS JOIN LATERAL (VALUES (adjustment.student), (adjustment.student_before)) AS of (student)
        WHERE step.to_state IN ('proposed', 'waiting', 'approved', 'failed')
    """,
    "adjustments.approval": "SELECT adjustment_id, approver, content_hash FROM adjustments.approval",
    "adjustments.settlement": """
        SELECT id, adjustment_id, wallet, amount, method, state FROM adjustments.settlement
    """,
    "ledger.journal": "SELECT id, source, event_type, entry_count FROM ledger.journal",
    "ledger.entry": """
        SELECT journal_id, address, currency, amount, balance_after, entry.version
        FROM ledger.entry JOIN ledger.wallet ON wallet.id = wallet_id
    """,
    "ledger.balance": """
        SELECT address, currency, amount, version
        FROM ledger.balance JOIN ledger.wallet ON wallet.id = wallet_id
    """,
    "ledger.hold": """
        SELECT name, address, hold.amount, hold.state
        FROM ledger.hold JOIN ledger.wallet ON wallet.id = wallet_id
    """,
    "payouts.charge_request": """
        SELECT request_id, operation_id, wallet, currency, amount, cause, outcome FROM payouts.charge_request
    """,
    "payouts.operation": """
        SELECT id, sequence, kind, wallet, amount, currency, params, stripe_account, state, sentence,
               stripe_id
        FROM payouts.operation
    """,
    "payouts.transfer": "SELECT id, wallet, amount, state, stripe_transfer_id FROM payouts.transfer",
    "payouts.payable": "SELECT journal_id, wallet, amount, event_type, transfer_id FROM payouts.payable",
    "reserves.stripe_line": """
        SELECT transaction_id, type, balance_type, net, currency, source_id, is_before
        FROM reserves.stripe_line
    """,
    "reserves.book_line": "SELECT journal_id, source, currency, amount FROM reserves.book_line",
    "reserves.line_match": "SELECT transaction_id, match_id FROM reserves.line_match",
    "reserves.book_match": "SELECT journal_id, match_id FROM reserves.book_match",
    "reserves.break": "SELECT subject, amount, state FROM reserves.break",
    "receivables.charge": "SELECT charge_id, amount FROM receivables.charge",
    "receivables.auto_charge": """
        SELECT request_id, student, cause, currency, amount, state, taken_back_at,
               decided_at::timestamptz(0)::text AS decided_at
        FROM receivables.auto_charge
    """,
    "receivables.dispatch": "SELECT flight_id, revision, student, held, state FROM receivables.dispatch",
    "receivables.credit_level": "SELECT student, level, changes FROM receivables.credit_level",
    "receivables.credit_level_change": """
        SELECT student, number, from_level, to_level FROM receivables.credit_level_change
    """,
    "receivables.limit_change": """
        SELECT student, number, cause, from_limit, to_limit, book_limit, state FROM receivables.limit_change
    """,
    "receivables.dunning_history": """
        SELECT place, student, run, what, step, total, until::text, local_at::text, from_hour, until_hour,
               at::timestamptz(0)::text AS at
        FROM receivables.dunning_history
    """,
    "receivables.dispute": """
        SELECT dispute_id, student,
               (requested_at + interval '1 minute')::timestamptz(0)::text AS known_at,
               (SELECT ended.requested_at::timestamptz(0)::text FROM receivables.posting AS ended
                WHERE ended.charge_id = dispute.charge_id
                  AND ended.source IN ('dispute-won:' || dispute_id, 'dispute-lost:' || dispute_id)
               ) AS ended_at
        FROM receivables.dispute JOIN receivables.charge USING (charge_id)
        JOIN receivables.posting ON posting.source = 'dispute:' || dispute_id
        WHERE NOT EXISTS (SELECT FROM receivables.payment_move AS moved
                          WHERE moved.charge_id = dispute.charge_id)
    """,
    "receivables.account": "SELECT student, currency, balance FROM receivables.account",
    "receivables.item": """
        SELECT student, currency, document, amount, open, due_on::text FROM receivables.item
    """,
    "receivables.named_bill": """
        SELECT place, payment, student, currency, bill FROM receivables.named_bill
    """,
    "receivables.item_line": """
        SELECT journal_id, student, currency, document, amount FROM receivables.item_line
    """,
    "receivables.account_note": "SELECT id, kind, student, amount, state FROM receivables.account_note",
    "receivables.recorded_payment": """
        SELECT id, student, method, number, amount, state FROM receivables.recorded_payment
    """,
}
for _service in SERVICES:  # constant names, so nothing can be injected
    _QUERIES |= {
        f"{_service}.outbox": f"SELECT id FROM {_service}.outbox",  # noqa: S608
        f"{_service}.inbox": f"SELECT event_key, payload_hash FROM {_service}.inbox",  # noqa: S608
        f"{_service}.dead_letter": _LETTERS.format(service=_service),
    }
