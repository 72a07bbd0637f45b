"""Messages out: what the comparison of a business date came to."""

from datetime import datetime

from fleet.envelope import Message, first_cause
from schemas.reserves import ReconciliationCompleted
from services.reserves.domain.days import ComparedDay


def completed(compared: ComparedDay, run: int, now: datetime) -> Message:
    """Tell what a date's comparison came to."""
    event = ReconciliationCompleted(
        business_date=compared.business_date,
        currency=compared.currency,
        run=run,
        stripe_closing=compared.stripe_closing,
        books_closing=compared.books_closing,
        drift=compared.drift,
        explained=compared.explained,
        unexplained=compared.unexplained,
        breaks_open=compared.breaks_open,
        completed_at=now,
    )
    key = compared.business_date.isoformat()
    return Message(topic="reconciliation.completed", key=key, event=event, cause=first_cause())
