"""Asks a student for what is overdue."""

from datetime import UTC, date, datetime

import orjson

from fleet.cause import Cause
from fleet.envelope import Message
from services.receivables.domain.dunning import Standing, Step, link_of


def requested(
    step: Step,
    standing: Standing,
    run: int,
    bills: str,
    sentence: str,
    today: date,
    now: datetime,
    cause: Cause,
) -> Message:
    """One request for all that is overdue. bills: JSON, document, due_on and what is open of the oldest."""
    if standing.oldest_due is None:
        raise AssertionError(f"nothing of {standing.student} is overdue")
    event = orjson.dumps(
        {
            "student": standing.student,
            "run": run,
            "step": step.name,
            "action": step.action,
            "currency": standing.currency,
            "total": standing.total,
            "oldest_due": standing.oldest_due,
            "days_overdue": standing.days_overdue(today),
            "bills": orjson.Fragment(bills),
            "bills_in_all": standing.bills,
            "sentence": sentence,
            "requested_at": now.astimezone(UTC),
            "link": link_of(standing.student, run, step.name, step.action),
        },
        option=orjson.OPT_UTC_Z,
    )
    return Message(topic="dunning.requested", key=standing.student, event=event, cause=cause)
