"""group.requested as requests; the replies are those of the group's journals."""

from collections.abc import Sequence
from typing import Final

from fleet.dead_letters import Refusal
from fleet.envelope import Message, Record
from fleet.inbox import Admitted, read
from schemas.journals import GroupRequested
from services.ledger import wire
from services.ledger.domain.journals import JournalReply, JournalRequest, RefusedJournal

REQUESTED: Final = "group.requested"


def group_requested(record: Record) -> GroupRequested:
    return read(record, GroupRequested)


def group_requests(
    admitted: Admitted[GroupRequested], *, for_people: bool
) -> list[JournalRequest | RefusedJournal]:
    """Give each journal the id it will have. for_people: those that are a service's are refused."""
    requests = [wire.journals.request_of(journal, admitted.event_key) for journal in admitted.event.journals]
    return [wire.journals.for_people(one) if for_people else one for one in requests]


def group_messages(admitted: Admitted[GroupRequested], replies: Sequence[JournalReply]) -> list[Message]:
    """One message for each journal of the group, all caused by it."""
    return [wire.journals.message(one, admitted.cause) for one in replies]


def group_refusals(admitted: Admitted[GroupRequested], replies: Sequence[JournalReply]) -> list[Refusal]:
    """One dead letter for the group, which is redriven whole, with the reason of the journal to blame."""
    refused = [one for one in replies if isinstance(one, RefusedJournal)]
    if not refused:
        return []
    blamed = next((one for one in refused if one.reason != "group_refused"), refused[0])
    subject = f"group:{admitted.event.group}"
    return [Refusal(admitted=admitted, reason=blamed.reason, sentence=blamed.sentence, subject=subject)]
