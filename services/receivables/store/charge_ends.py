"""SQL of how charges of saved methods end after payouts answered: bank debits, and what banks take back."""

from collections.abc import Collection
from datetime import datetime

from fleet.database import Tx
from services.receivables.domain.auto_charges import DeclineClass, KnownCharge, TakenBack

# A bank debit ends days after it was made; Stripe's webhooks say how.
_PROCESSING = """
    SELECT request_id, student, cause, attempt, currency, amount, payment_method, payment_intent, state
    FROM auto_charge
    WHERE state = 'processing' AND payment_intent = ANY (CAST(:intents AS text[]))
    ORDER BY request_id FOR UPDATE
"""


async def lock_processing(tx: Tx, intents: Collection[str]) -> list[KnownCharge]:
    """Lock the bank debits under way that these payment intents make."""
    rows = await tx.all(_PROCESSING, intents=sorted(intents)) if intents else []
    return [KnownCharge(**row._mapping) for row in rows]


_FAILED = """
    SELECT payment_intent_id, code FROM payment_failure
    WHERE payment_intent_id = ANY (CAST(:intents AS text[]))
"""


async def failed(tx: Tx, intents: Collection[str]) -> dict[str, str]:
    """Which of these payment intents failed, and Stripe's code."""
    if not intents:
        return {}
    rows = await tx.all(_FAILED, intents=sorted(intents))
    return {row.payment_intent_id: row.code for row in rows}


_PAID = """
    SELECT payment_intent_id, charge_id FROM charge
    WHERE payment_intent_id = ANY (CAST(:intents AS text[])) AND amount IS NOT NULL
"""


async def paid(tx: Tx, intents: Collection[str]) -> dict[str, str]:
    """Which of these payment intents were paid, and by which charge."""
    rows = await tx.all(_PAID, intents=sorted(intents))
    return {row.payment_intent_id: row.charge_id for row in rows}


# Both say it: a failed charge, or a dispute that is lost (docs.stripe.com/payments/ach-direct-debit).
_TAKEN_BACK = """
    SELECT made.request_id, made.student, made.cause, made.attempt, made.currency, made.amount,
           made.payment_method, made.payment_intent, made.state, made.charge_id,
           coalesce(charge.failure_code, lost.reason, 'unknown') AS code, charge.failed_at IS NULL AS disputed
    FROM auto_charge AS made JOIN charge ON charge.charge_id = made.charge_id
    LEFT JOIN LATERAL (
        SELECT dispute_id, reason FROM dispute
        WHERE dispute.charge_id = charge.charge_id AND withdrawn AND outcome = 'lost'
        ORDER BY dispute_id LIMIT 1) AS lost ON true
    WHERE made.state = 'succeeded' AND made.charge_id = ANY (CAST(:charges AS text[]))
      AND (charge.failed_at IS NOT NULL OR lost.dispute_id IS NOT NULL)
    ORDER BY made.request_id FOR UPDATE OF made
"""


async def lock_taken_back(tx: Tx, charges: Collection[str]) -> list[TakenBack]:
    """Lock those of these charges whose money a bank took back, and that still count as made."""
    rows = await tx.all(_TAKEN_BACK, charges=sorted(charges)) if charges else []
    return [
        TakenBack(
            charge=KnownCharge(**{name: getattr(row, name) for name in KnownCharge.__slots__}),
            charge_id=row.charge_id,
            code=row.code,
            disputed=row.disputed,
        )
        for row in rows
    ]


_NOTE_TAKEN_BACK = """
    UPDATE auto_charge SET state = 'declined', taken_back_at = :now, answered_at = :now, kind = :kind,
        code = :code, sentence = :sentence, retry_at = :retry_at
    WHERE request_id = :request_id
"""


async def note_taken_back(
    tx: Tx, back: TakenBack, kind: DeclineClass, sentence: str, retry_at: datetime | None, now: datetime
) -> None:
    """Write that the money of a locked charge was taken back: it counts as declined from now on."""
    await tx.execute(
        _NOTE_TAKEN_BACK,
        request_id=back.charge.request_id,
        now=now,
        kind=str(kind),
        code=back.code,
        sentence=sentence,
        retry_at=retry_at,
    )
