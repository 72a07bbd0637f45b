"""Tells students of payments that did not go through. The caller commits."""

from collections.abc import Sequence

from fleet.cause import Cause
from fleet.database import Tx
from fleet.outbox import stage
from services.receivables import store, wire
from services.receivables.domain.failures import PaymentFailed, worth_telling


async def tell(tx: Tx, failures: Sequence[tuple[PaymentFailed, Cause]]) -> None:
    """Tell each student once of each attempt that failed, unless the payment went through since."""
    if not failures:
        return
    new = await store.failures.insert(tx, [failure for failure, _ in failures])
    paid = await store.charges.paid_intents(tx, [failure.payment_intent_id for failure, _ in failures])
    messages = []
    for failure, cause in failures:
        identity = (failure.payment_intent_id, failure.attempt)
        if identity in new and worth_telling(failure, paid):
            new.discard(identity)  # told twice in one batch is one failure
            messages.append(wire.messages.failure_message(failure, cause))
    await stage(tx, [message for message in messages if message])
