"""Every SQL statement of receivables, set-based. Charges are locked in the order of their ids."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from schemas.stripe_webhooks import StripeWebhook
from services.receivables.domain.charges import Charge, Dispute, Entry, Fee, Outcome, Payment, Posting, Refund
from services.receivables.domain.failures import PaymentFailed

Rows = Mapping[str, list[Row[Any]]]


async def lock_charges(tx: Tx, charge_ids: Iterable[str]) -> dict[str, Charge]:
    """Lock these charges and load all that is known of them; unknown ones are begun.

    Facts about one charge come through several partitions and topics. The insert waits for another's insert
    of the same charge, the lock for another's change; both in id order, so that two never deadlock.
    """
    ids = sorted(set(charge_ids))
    if not ids:
        return {}
    await tx.execute(
        """
        INSERT INTO charge (charge_id) SELECT unnest(CAST(:ids AS text[])) ORDER BY 1
        ON CONFLICT (charge_id) DO NOTHING
        """,
        ids=ids,
    )
    # A statement of its own: its snapshot must be later than the wait for the lock.
    await tx.all(
        "SELECT 1 FROM charge WHERE charge_id = ANY(CAST(:ids AS text[])) ORDER BY charge_id FOR UPDATE",
        ids=ids,
    )
    return await load_charges(tx, ids)


async def load_charges(tx: Tx, ids: Sequence[str]) -> dict[str, Charge]:
    """What is known of these charges, as it stands."""
    charges = await tx.all("SELECT * FROM charge WHERE charge_id = ANY(CAST(:ids AS text[]))", ids=ids)
    refunds = _by_charge(
        await tx.all("SELECT * FROM refund WHERE charge_id = ANY(CAST(:ids AS text[]))", ids=ids)
    )
    disputes = _by_charge(
        await tx.all("SELECT * FROM dispute WHERE charge_id = ANY(CAST(:ids AS text[]))", ids=ids)
    )
    postings = _by_charge(
        await tx.all(
            "SELECT * FROM posting WHERE charge_id = ANY(CAST(:ids AS text[])) ORDER BY ordinal", ids=ids
        )
    )
    return {row.charge_id: _charge(row, refunds, disputes, postings) for row in charges}


async def write_charges(tx: Tx, charges: Sequence[Charge]) -> None:
    """Write what is now known of locked charges."""
    await tx.execute(_WRITE_CHARGES, docs=_json(_charge_document(charge) for charge in charges))
    await tx.execute(
        _WRITE_REFUNDS,
        docs=_json(
            {"charge_id": charge.charge_id, **_fields(refund)}
            for charge in charges
            for refund in charge.refunds.values()
        ),
    )
    await tx.execute(
        _WRITE_DISPUTES,
        docs=_json(
            {"charge_id": charge.charge_id, **_fields(dispute)}
            for charge in charges
            for dispute in charge.disputes.values()
        ),
    )


async def insert_postings(tx: Tx, postings: Sequence[tuple[str, Posting]]) -> set[str]:
    """Keep postings with their charge's id; the sources that were not asked for before."""
    documents = _json({"charge_id": charge_id, **_fields(posting)} for charge_id, posting in postings)
    return {row.source for row in await tx.all(_INSERT_POSTINGS, docs=documents)}


async def queue_unallocated(tx: Tx, charge_ids: Sequence[str]) -> None:
    await tx.execute(
        """
        INSERT INTO unallocated_payment (charge_id) SELECT unnest(CAST(:ids AS text[]))
        ON CONFLICT (charge_id) DO NOTHING
        """,
        ids=charge_ids,
    )


async def close_unallocated(tx: Tx, students: Mapping[str, str], *, allocated_by: str, at: datetime) -> None:
    """Write beside queued payments whose they are; `students` maps a charge to its student."""
    await tx.execute(
        """
        UPDATE unallocated_payment AS queue
        SET student = named.student, allocated_at = :at, allocated_by = :by
        FROM unnest(CAST(:ids AS text[]), CAST(:students AS text[])) AS named (charge_id, student)
        WHERE queue.charge_id = named.charge_id AND queue.student IS NULL
        """,
        ids=list(students),
        students=list(students.values()),
        by=allocated_by,
        at=at,
    )


async def paid_intents(tx: Tx, intent_ids: Sequence[str]) -> set[str]:
    """Which of these payment intents went through."""
    rows = await tx.all(
        """
        SELECT payment_intent_id FROM charge
        WHERE payment_intent_id = ANY(CAST(:ids AS text[])) AND amount IS NOT NULL
        """,
        ids=intent_ids,
    )
    return {row.payment_intent_id for row in rows}


async def insert_failures(tx: Tx, failures: Sequence[PaymentFailed]) -> set[tuple[str, str]]:
    """Keep failed attempts; those (payment intent, attempt) that were not known."""
    rows = await tx.all(
        """
        INSERT INTO payment_failure (payment_intent_id, attempt, student, amount, currency, code, failed_at)
        SELECT * FROM jsonb_to_recordset(CAST(:docs AS jsonb)) AS doc (
            payment_intent_id text, attempt text, student text, amount bigint, currency text, code text,
            failed_at timestamptz)
        ON CONFLICT DO NOTHING
        RETURNING payment_intent_id, attempt
        """,
        docs=_json(_fields(failure) for failure in failures),
    )
    return {(row.payment_intent_id, row.attempt) for row in rows}


async def keep_webhooks(tx: Tx, webhooks: Sequence[StripeWebhook]) -> None:
    """Keep webhooks of unknown types, whole."""
    if not webhooks:
        return
    await tx.execute(
        """
        INSERT INTO kept_webhook (event_id, event_type, received_at, body)
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[]),
                             CAST(:received AS timestamptz[]), CAST(:bodies AS text[]))
        ON CONFLICT DO NOTHING
        """,
        ids=[webhook.event_id for webhook in webhooks],
        types=[webhook.event_type for webhook in webhooks],
        received=[webhook.received_at for webhook in webhooks],
        bodies=[webhook.body for webhook in webhooks],
    )


async def waiting(tx: Tx) -> Row[Any]:
    """How many charges wait for their payment, and payments for a student; the age of the oldest."""
    return await tx.one(
        """
        SELECT count(*) FILTER (WHERE what = 'charge') AS charges,
               count(*) FILTER (WHERE what = 'student') AS students,
               (SELECT count(*) FROM receivables_public.unexplained_refunds) AS unexplained_refunds,
               coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE what = 'charge')), 0)::float8
                   AS charge_age_s,
               coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE what = 'student')), 0)::float8
                   AS student_age_s
        FROM (SELECT 'charge' AS what, first_seen_at AS since FROM charge WHERE amount IS NULL
              UNION ALL
              SELECT 'student', queued_at FROM unallocated_payment WHERE student IS NULL) AS waiting
        """
    )


_WRITE_CHARGES = """
    UPDATE charge SET
        payment_intent_id = doc.payment_intent_id, student = doc.student, amount = doc.amount,
        currency = doc.currency, received_at = doc.received_at, fee = doc.fee,
        fee_transaction_id = doc.fee_transaction_id, fee_currency = doc.fee_currency,
        settled_gross = doc.settled_gross, settled_at = doc.settled_at, told_refunded = doc.told_refunded
    FROM jsonb_to_recordset(CAST(:docs AS jsonb)) AS doc (
        charge_id text, payment_intent_id text, student text, amount bigint, currency text,
        received_at timestamptz, fee bigint, fee_transaction_id text, fee_currency text,
        settled_gross bigint, settled_at timestamptz, told_refunded bigint)
    WHERE charge.charge_id = doc.charge_id
"""

_WRITE_REFUNDS = """
    INSERT INTO refund (refund_id, charge_id, amount, currency, at, moved, failed)
    SELECT refund_id, charge_id, amount, currency, at, moved, failed
    FROM jsonb_to_recordset(CAST(:docs AS jsonb)) AS doc (
        refund_id text, charge_id text, amount bigint, currency text, at timestamptz, moved boolean,
        failed boolean)
    ON CONFLICT (refund_id) DO UPDATE SET moved = excluded.moved, failed = excluded.failed
"""

_WRITE_DISPUTES = """
    INSERT INTO dispute (dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at,
                         fees)
    SELECT dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at, fees
    FROM jsonb_to_recordset(CAST(:docs AS jsonb)) AS doc (
        dispute_id text, charge_id text, amount bigint, currency text, opened_at timestamptz,
        withdrawn boolean, outcome text, closed_at timestamptz, fees jsonb)
    ON CONFLICT (dispute_id) DO UPDATE SET
        withdrawn = excluded.withdrawn, outcome = excluded.outcome, closed_at = excluded.closed_at,
        fees = excluded.fees
"""

_INSERT_POSTINGS = """
    INSERT INTO posting (source, charge_id, event_type, currency, occurred_at, entries, memo)
    SELECT source, charge_id, event_type, currency, occurred_at, entries, memo
    FROM jsonb_to_recordset(CAST(:docs AS jsonb)) AS doc (
        source text, charge_id text, event_type text, currency text, occurred_at timestamptz, entries jsonb,
        memo text)
    ON CONFLICT (source) DO NOTHING
    RETURNING source
"""


def _json(documents: Iterable[Any]) -> str:
    return json_parameter(list(documents))


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass as it would be written."""
    fields: dict[str, Any] = orjson.loads(json_parameter(value))
    return fields


def _by_charge(rows: Iterable[Row[Any]]) -> Rows:
    grouped: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.charge_id].append(row)
    return grouped


def _charge_document(charge: Charge) -> dict[str, Any]:
    payment, fee = charge.payment, charge.fee
    return {
        "charge_id": charge.charge_id,
        "student": charge.student,
        "told_refunded": charge.told_refunded,
        "payment_intent_id": payment.payment_intent_id if payment else None,
        "amount": payment.amount if payment else None,
        "currency": payment.currency if payment else None,
        "received_at": payment.received_at if payment else None,
        "fee": fee.amount if fee else None,
        "fee_transaction_id": fee.transaction_id if fee else None,
        "fee_currency": fee.currency if fee else None,
        "settled_gross": fee.gross if fee else None,
        "settled_at": fee.settled_at if fee else None,
    }


def _charge(row: Row[Any], refunds: Rows, disputes: Rows, postings: Rows) -> Charge:
    return Charge(
        charge_id=row.charge_id,
        student=row.student,
        payment=_payment(row),
        told_refunded=row.told_refunded,
        fee=_fee(row),
        refunds={r.refund_id: _refund(r) for r in refunds.get(row.charge_id, ())},
        disputes={r.dispute_id: _dispute(r) for r in disputes.get(row.charge_id, ())},
        postings=tuple(_posting(r) for r in postings.get(row.charge_id, ())),
    )


def _payment(row: Row[Any]) -> Payment | None:
    if row.amount is None:
        return None
    return Payment(
        amount=row.amount,
        currency=row.currency,
        received_at=row.received_at,
        payment_intent_id=row.payment_intent_id,
    )


def _fee(row: Row[Any]) -> Fee | None:
    if row.fee is None:
        return None
    return Fee(
        transaction_id=row.fee_transaction_id,
        amount=row.fee,
        gross=row.settled_gross,
        currency=row.fee_currency,
        settled_at=row.settled_at,
    )


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        amount=row.amount,
        currency=row.currency,
        at=row.at,
        moved=row.moved,
        failed=row.failed,
    )


def _dispute(row: Row[Any]) -> Dispute:
    return Dispute(
        dispute_id=row.dispute_id,
        amount=row.amount,
        currency=row.currency,
        opened_at=row.opened_at,
        withdrawn=row.withdrawn,
        outcome=Outcome(row.outcome) if row.outcome else None,
        closed_at=row.closed_at,
        fees=row.fees,
    )


def _posting(row: Row[Any]) -> Posting:
    return Posting(
        source=row.source,
        event_type=row.event_type,
        currency=row.currency,
        occurred_at=row.occurred_at,
        entries=tuple(Entry(wallet=e["wallet"], amount=e["amount"]) for e in row.entries),
        memo=row.memo,
    )
