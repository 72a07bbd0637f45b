"""Asks a student for what is overdue."""

from collections.abc import Sequence
from datetime import date, datetime

from fleet.cause import Cause
from fleet.envelope import Message
from schemas.dunning import DunningRequested, OverdueBill
from services.receivables.domain.dunning import Standing, Step


def requested(
    step: Step,
    standing: Standing,
    run: int,
    bills: Sequence[tuple[str, date, int]],
    in_all: int,
    sentence: str,
    today: date,
    now: datetime,
    cause: Cause,
) -> Message:
    """One request for all that is overdue. bills: document, due date and what is open of the oldest."""
    if standing.oldest_due is None:
        raise AssertionError(f"nothing of {standing.student} is overdue")
    event = DunningRequested(
        student=standing.student,
        run=run,
        step=step.name,
        action=step.action,
        currency=standing.currency,
        total=standing.total,
        oldest_due=standing.oldest_due,
        days_overdue=standing.days_overdue(today),
        bills=[OverdueBill(document=name, due_on=due_on, open=amount) for name, due_on, amount in bills],
        bills_in_all=in_all,
        sentence=sentence,
        requested_at=now,
    )
    return Message(topic="dunning.requested", key=standing.student, event=event, cause=cause)
