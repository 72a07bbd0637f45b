"""group.requested -> domain; the answers are those of its journals."""

from collections.abc import Sequence
from typing import Final

from fleet.dead_letters import Refusal
from fleet.envelope import Message, Record
from fleet.inbox import Admitted, read
from schemas.journals import GroupRequested
from services.ledger import wire
from services.ledger.domain.journals import Answer, JournalRequest, Refused

REQUESTED: Final = "group.requested"


def group_requested(record: Record) -> GroupRequested:
    return read(record, GroupRequested)


def group_requests(admitted: Admitted[GroupRequested]) -> list[JournalRequest]:
    return [wire.journals.request_of(journal, admitted.event_key) for journal in admitted.event.journals]


def group_answers(item: Admitted[GroupRequested], given: Sequence[Answer]) -> list[Message]:
    """One message for each journal of the group, all caused by it."""
    return [wire.journals.answer(one, item.cause) for one in given]


def group_refusals(item: Admitted[GroupRequested], given: Sequence[Answer]) -> list[Refusal]:
    """The group as one letter: it is redriven as a whole. What was to blame speaks for it."""
    refused = [one for one in given if isinstance(one, Refused)]
    if not refused:
        return []
    blamed = next((one for one in refused if one.reason != "group_refused"), refused[0])
    subject = f"group:{item.event.group}"
    return [Refusal(admitted=item, reason=blamed.reason, sentence=blamed.sentence, subject=subject)]
