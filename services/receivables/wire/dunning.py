"""Asks a student for what is overdue."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from fleet.cause import Cause
from fleet.envelope import Message
from schemas.dunning import DunningRequested
from services.receivables.domain.dunning import Standing, Step


def requested(
    step: Step,
    standing: Standing,
    run: int,
    bills: Sequence[Mapping[str, Any]],
    sentence: str,
    today: date,
    now: datetime,
    cause: Cause,
) -> Message:
    """One request for all that is overdue. bills: document, due_on and what is open of the oldest."""
    if standing.oldest_due is None:
        raise AssertionError(f"nothing of {standing.student} is overdue")
    # In one call: a school may have a million bills in a run.
    event = DunningRequested.model_validate(
        {
            "student": standing.student,
            "run": run,
            "step": step.name,
            "action": step.action,
            "currency": standing.currency,
            "total": standing.total,
            "oldest_due": standing.oldest_due,
            "days_overdue": standing.days_overdue(today),
            "bills": bills,
            "bills_in_all": standing.bills,
            "sentence": sentence,
            "requested_at": now,
        }
    )
    return Message(topic="dunning.requested", key=standing.student, event=event, cause=cause)
