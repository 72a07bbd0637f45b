"""Says that a student crossed a level of their limit."""

from datetime import datetime

from fleet.cause import Cause
from fleet.envelope import Message
from schemas.credit import CreditLevelChanged
from schemas.notifications import NotificationRequested
from services.receivables.domain.credit_levels import Change


def changed(change: Change, now: datetime, cause: Cause) -> list[Message]:
    """The crossing as an event, and a word to the student where it matters to them."""
    credit = change.credit
    event = CreditLevelChanged(
        student=credit.student,
        number=change.number,
        from_level=change.was,
        to_level=credit.level,
        crossing=change.crossing,
        currency=credit.currency,
        posted=credit.posted,
        pending=credit.pending,
        available=credit.available,
        disputed=credit.disputed,
        credit_limit=credit.credit_limit,
        used_percent=credit.used_percent,
        sentence=change.in_words(),
        changed_at=now,
    )
    messages = [Message(topic="credit.level_changed", key=credit.student, event=event, cause=cause)]
    if change.matters:
        told = NotificationRequested(
            recipient_kind="student",
            recipient=credit.student,
            kind=f"credit_{change.crossing}",
            about=f"crossing-{change.number}",
            sentence=f"Your credit: {event.sentence}.",
            facts={"level": credit.level, "currency": credit.currency},
        )
        messages.append(Message(topic="notification.requested", key=credit.student, event=told, cause=cause))
    return messages
