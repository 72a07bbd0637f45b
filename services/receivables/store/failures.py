"""The statement about payments that did not go through."""

from collections.abc import Sequence

from fleet.database import Tx, json_parameter
from services.receivables.domain.failures import PaymentFailed

_INSERT = """
    INSERT INTO payment_failure (payment_intent_id, attempt, student, amount, currency, code, failed_at)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (
        payment_intent_id text, attempt text, student text, amount bigint, currency text, code text,
        failed_at timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING payment_intent_id, attempt
"""


async def insert(tx: Tx, failures: Sequence[PaymentFailed]) -> set[tuple[str, str]]:
    """Keep failed attempts; those (payment intent, attempt) that were not known."""
    rows = await tx.all(_INSERT, rows=json_parameter(list(failures)))
    return {(row.payment_intent_id, row.attempt) for row in rows}
