"""SQL of requests to charge students' saved payment methods, and of their answers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.charges import Answer, Answered, Outcome, ToCharge

_KEEP = """
    INSERT INTO charge_request (request_id, operation_id, wallet, currency, amount, cause, customer,
                                payment_method, method_type, decided_at, requested_at, trace)
    SELECT request_id, operation_id, wallet, currency, amount, cause, customer, payment_method, method_type,
           decided_at, :now, trace
    FROM jsonb_to_recordset(CAST(:requests AS jsonb)) AS request (
        request_id uuid, operation_id uuid, wallet text, currency text, amount bigint, cause text,
        customer text, payment_method text, method_type text, decided_at timestamptz, trace jsonb,
        place bigint)
    ORDER BY place
    ON CONFLICT (request_id) DO NOTHING
    RETURNING request_id
"""


async def keep(tx: Tx, requests: Sequence[tuple[ToCharge, UUID]], now: datetime) -> set[UUID]:
    """Keep requests with their operations, once each; those that are new."""
    rows = [
        {name: getattr(one, name) for name in ToCharge.__slots__}
        | {"operation_id": operation_id, "trace": one.trace.document(), "place": place}
        for place, (one, operation_id) in enumerate(requests)
    ]
    found = await tx.all(_KEEP, requests=json_parameter(rows), now=now)
    return {row.request_id for row in found}


_OF_OPERATIONS = """
    SELECT request_id, operation_id, wallet, currency, amount, cause, customer, payment_method, method_type,
           decided_at, CAST(trace AS text) AS trace
    FROM charge_request WHERE operation_id = ANY (CAST(:ids AS uuid[])) AND outcome IS NULL
    ORDER BY request_id FOR UPDATE
"""


async def of_operations(tx: Tx, operations: Collection[UUID]) -> dict[UUID, ToCharge]:
    """The requests of these operations that are not answered, by operation."""
    rows = await tx.all(_OF_OPERATIONS, ids=list(operations)) if operations else []
    return {row.operation_id: _asked(row) for row in rows}


_ANSWERED = """
    SELECT request_id, operation_id, wallet, currency, amount, cause, customer, payment_method, method_type,
           decided_at, CAST(trace AS text) AS trace, outcome, payment_intent, charge, code, advice, sentence,
           answered_at
    FROM charge_request WHERE request_id = ANY (CAST(:ids AS uuid[])) AND outcome IS NOT NULL
    ORDER BY request_id
"""


async def answered(tx: Tx, requests: Collection[UUID]) -> list[Answered]:
    """Those of the requests that were answered, with their answers."""
    rows = await tx.all(_ANSWERED, ids=list(requests)) if requests else []
    return [Answered(asked=_asked(row), answer=_answer(row)) for row in rows]


_ANSWER = """
    UPDATE charge_request SET outcome = told.outcome, payment_intent = told.payment_intent,
        charge = told.charge, code = told.code, advice = told.advice, sentence = told.sentence,
        answered_at = told.answered_at
    FROM jsonb_to_recordset(CAST(:answers AS jsonb)) AS told (
        request_id uuid, outcome text, payment_intent text, charge text, code text, advice text,
        sentence text, answered_at timestamptz)
    WHERE charge_request.request_id = told.request_id
"""


async def answer(tx: Tx, answers: Sequence[Answered]) -> None:
    """Write the answers of locked requests."""
    rows = [
        {
            "request_id": one.asked.request_id,
            "outcome": str(one.answer.outcome),
            "payment_intent": one.answer.payment_intent,
            "charge": one.answer.charge,
            "code": one.answer.code,
            "advice": one.answer.advice,
            "sentence": one.answer.sentence,
            "answered_at": one.answer.at,
        }
        for one in answers
    ]
    await tx.execute(_ANSWER, answers=json_parameter(rows))


# What the ledger had when a charge was decided was counted; the minute is longer than any transaction.
_NOT_COUNTED = """
    SELECT paid.charge FROM unnest(CAST(:paid AS text[])) AS paid (charge)
    WHERE NOT EXISTS (
        SELECT FROM ledger_public.journals AS posted
        WHERE posted.source = 'charge:' || paid.charge
          AND posted.recorded_at < coalesce(
              (SELECT decided_at FROM charge_request
               WHERE operation_id = CAST(:operation AS uuid)) - interval '1 minute', 'infinity'))
"""


async def not_counted(tx: Tx, paid: Sequence[str], operation: UUID | None = None) -> list[str]:
    """Those of the payments at Stripe that were not in the account when a charge was decided; None: now."""
    rows = await tx.all(_NOT_COUNTED, operation=operation, paid=list(paid)) if paid else []
    return [row.charge for row in rows]


# Never sent under its present key: before that it was looked up, if it may have been sent.
_CLOSE_LAPSED = """
    WITH closed AS (
        UPDATE operation SET state = 'cancelled', reason = 'lapsed', sentence = 'it was not sent in time',
            finished_at = :now
        WHERE kind = 'charge' AND state = 'due' AND first_sent_at IS NULL AND not_after <= :now
        RETURNING id)
    SELECT request_id, operation_id, wallet, currency, amount, cause, customer, payment_method, method_type,
           decided_at, CAST(trace AS text) AS trace
    FROM charge_request JOIN closed ON closed.id = operation_id
    WHERE outcome IS NULL ORDER BY request_id
"""


async def close_lapsed(tx: Tx, now: datetime) -> list[ToCharge]:
    """End charges that may not be sent any more and were not; their requests."""
    return [_asked(row) for row in await tx.all(_CLOSE_LAPSED, now=now)]


# A bank answers a debit after days, which only receivables hears.
_UNDER_WAY = """
    SELECT EXISTS (SELECT FROM charge_request WHERE wallet = :wallet AND outcome IS NULL)
        OR EXISTS (SELECT FROM receivables_public.auto_charges AS made
                   WHERE made.student = substr(:wallet, length('student:') + 1)
                     AND made.state = 'processing') AS found
"""


async def is_under_way(tx: Tx, wallet: str) -> bool:
    """Whether a student's saved method is being charged."""
    return bool((await tx.one(_UNDER_WAY, wallet=wallet)).found)


def _asked(row: Row[Any]) -> ToCharge:
    return ToCharge(
        request_id=row.request_id,
        wallet=row.wallet,
        currency=row.currency,
        amount=row.amount,
        cause=row.cause,
        customer=row.customer,
        payment_method=row.payment_method,
        method_type=row.method_type,
        decided_at=row.decided_at,
        trace=Cause.kept(row.trace),
    )


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        outcome=Outcome(row.outcome),
        sentence=row.sentence,
        at=row.answered_at,
        payment_intent=row.payment_intent,
        charge=row.charge,
        code=row.code,
        advice=row.advice,
    )


_OLDEST = """
    SELECT coalesce(extract(epoch FROM max(now() - requested_at)), 0) AS age FROM charge_request
    WHERE outcome IS NULL
"""


async def oldest_age_s(tx: Tx) -> float:
    """How long ago the oldest request came that is not answered."""
    return float((await tx.one(_OLDEST)).age)
