"""The statements about charges: the charge itself, its refunds, its disputes, its postings. Set-based.

Charges are locked in the order of their ids.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.receivables.domain.charges import (
    Charge,
    Dispute,
    DisputeOutcome,
    Failure,
    Fee,
    Payment,
    Posting,
    PostingEntry,
    Refund,
)

Rows = Mapping[str, list[Row[Any]]]

_BEGIN = """
    INSERT INTO charge (charge_id) SELECT unnest(CAST(:ids AS text[])) ORDER BY 1
    ON CONFLICT (charge_id) DO NOTHING
"""
# A statement of its own: its snapshot must be later than the wait for the lock.
_LOCK = "SELECT 1 FROM charge WHERE charge_id = ANY (CAST(:ids AS text[])) ORDER BY charge_id FOR UPDATE"


async def lock(tx: Tx, charge_ids: Iterable[str]) -> dict[str, Charge]:
    """Lock these charges and load all that is known of them; unknown ones are begun.

    Facts about one charge come through several partitions and topics. The insert waits for another's insert
    of the same charge, the lock for another's change; both in id order, so that two never deadlock.
    """
    ids = sorted(set(charge_ids))
    if not ids:
        return {}
    await tx.execute(_BEGIN, ids=ids)
    await tx.all(_LOCK, ids=ids)
    return await load(tx, ids)


_CHARGES = "SELECT * FROM charge WHERE charge_id = ANY (CAST(:ids AS text[]))"
_REFUNDS = "SELECT * FROM refund WHERE charge_id = ANY (CAST(:ids AS text[]))"
_DISPUTES = "SELECT * FROM dispute WHERE charge_id = ANY (CAST(:ids AS text[]))"
_POSTINGS = "SELECT * FROM posting WHERE charge_id = ANY (CAST(:ids AS text[])) ORDER BY ordinal"


async def load(tx: Tx, ids: Sequence[str]) -> dict[str, Charge]:
    """What is known of these charges, by id; a charge that nothing is known of is left out."""
    charges = await tx.all(_CHARGES, ids=ids)
    refunds = _by_charge(await tx.all(_REFUNDS, ids=ids))
    disputes = _by_charge(await tx.all(_DISPUTES, ids=ids))
    postings = _by_charge(await tx.all(_POSTINGS, ids=ids))
    return {row.charge_id: _charge(row, refunds, disputes, postings) for row in charges}


_WRITE = """
    UPDATE charge SET
        payment_intent_id = told.payment_intent_id, student = told.student, amount = told.amount,
        currency = told.currency, received_at = told.received_at, fee = told.fee,
        fee_transaction_id = told.fee_transaction_id, fee_currency = told.fee_currency,
        settled_gross = told.settled_gross, settled_at = told.settled_at, told_refunded = told.told_refunded,
        named = told.named, failed_at = told.failed_at, failure_code = told.failure_code
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        charge_id text, payment_intent_id text, student text, amount bigint, currency text,
        received_at timestamptz, fee bigint, fee_transaction_id text, fee_currency text,
        settled_gross bigint, settled_at timestamptz, told_refunded bigint, named text,
        failed_at timestamptz, failure_code text)
    WHERE charge.charge_id = told.charge_id
"""
_WRITE_REFUNDS = """
    INSERT INTO refund (refund_id, charge_id, amount, currency, at, moved, failed)
    SELECT refund_id, charge_id, amount, currency, at, moved, failed
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        refund_id text, charge_id text, amount bigint, currency text, at timestamptz, moved boolean,
        failed boolean)
    ON CONFLICT (refund_id) DO UPDATE SET at = excluded.at, moved = excluded.moved, failed = excluded.failed
"""
_WRITE_DISPUTES = """
    INSERT INTO dispute (dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at,
                         fees, reason)
    SELECT dispute_id, charge_id, amount, currency, opened_at, withdrawn, outcome, closed_at, fees, reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        dispute_id text, charge_id text, amount bigint, currency text, opened_at timestamptz,
        withdrawn boolean, outcome text, closed_at timestamptz, fees jsonb, reason text)
    ON CONFLICT (dispute_id) DO UPDATE SET
        withdrawn = excluded.withdrawn, outcome = excluded.outcome, closed_at = excluded.closed_at,
        fees = excluded.fees, reason = excluded.reason
"""


async def write(tx: Tx, charges: Sequence[Charge]) -> None:
    """Write what is now known of locked charges."""
    await tx.execute(_WRITE, rows=_json(_charge_row(charge) for charge in charges))
    await tx.execute(
        _WRITE_REFUNDS,
        rows=_json(
            {"charge_id": charge.charge_id, **_fields(refund)}
            for charge in charges
            for refund in charge.refunds.values()
        ),
    )
    await tx.execute(
        _WRITE_DISPUTES,
        rows=_json(
            {"charge_id": charge.charge_id, **_fields(dispute)}
            for charge in charges
            for dispute in charge.disputes.values()
        ),
    )


_INSERT_POSTINGS = """
    INSERT INTO posting (source, charge_id, event_type, currency, occurred_at, entries, memo)
    SELECT source, charge_id, event_type, currency, occurred_at, entries, memo
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        source text, charge_id text, event_type text, currency text, occurred_at timestamptz, entries jsonb,
        memo text)
    ON CONFLICT (source) DO NOTHING
    RETURNING source
"""


async def insert_postings(tx: Tx, postings: Sequence[tuple[str, Posting]]) -> set[str]:
    """Keep postings with their charge's id; the sources that were not asked for before."""
    rows = _json({"charge_id": charge_id, **_fields(posting)} for charge_id, posting in postings)
    return {row.source for row in await tx.all(_INSERT_POSTINGS, rows=rows)}


_NAMED = """
    SELECT charge_id, named FROM charge
    WHERE student IS NULL AND named IS NOT NULL AND amount IS NOT NULL ORDER BY charge_id LIMIT :most
"""


async def named(tx: Tx, most: int) -> dict[str, str]:
    """Payments without a student whose metadata named somebody: the charge and that name."""
    return {row.charge_id: row.named for row in await tx.all(_NAMED, most=most)}


_PAID_INTENTS = """
    SELECT payment_intent_id FROM charge
    WHERE payment_intent_id = ANY (CAST(:ids AS text[])) AND amount IS NOT NULL
"""


async def paid_intents(tx: Tx, intent_ids: Sequence[str]) -> set[str]:
    """Which of these payment intents went through."""
    return {row.payment_intent_id for row in await tx.all(_PAID_INTENTS, ids=intent_ids)}


def _json(rows: Iterable[Any]) -> str:
    return json_parameter(list(rows))


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass as it would be written."""
    fields: dict[str, Any] = orjson.loads(json_parameter(value))
    return fields


def _by_charge(rows: Iterable[Row[Any]]) -> Rows:
    grouped: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.charge_id].append(row)
    return grouped


def _charge_row(charge: Charge) -> dict[str, Any]:
    payment, fee = charge.payment, charge.fee
    return {
        "charge_id": charge.charge_id,
        "student": charge.student,
        "named": charge.named,
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
        "failed_at": charge.failure.at if charge.failure else None,
        "failure_code": charge.failure.code if charge.failure else None,
    }


def _charge(row: Row[Any], refunds: Rows, disputes: Rows, postings: Rows) -> Charge:
    return Charge(
        charge_id=row.charge_id,
        student=row.student,
        named=row.named,
        payment=_payment(row),
        failure=None if row.failed_at is None else Failure(code=row.failure_code, at=row.failed_at),
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
        outcome=DisputeOutcome(row.outcome) if row.outcome else None,
        closed_at=row.closed_at,
        fees=row.fees,
        reason=row.reason,
    )


def _posting(row: Row[Any]) -> Posting:
    return Posting(
        source=row.source,
        event_type=row.event_type,
        currency=row.currency,
        occurred_at=row.occurred_at,
        entries=tuple(PostingEntry(wallet=e["wallet"], amount=e["amount"]) for e in row.entries),
        memo=row.memo,
    )
