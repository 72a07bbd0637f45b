"""journal.requested -> domain; domain -> journal.posted, journal.refused, dead letters.

A request whose source can be read is answered even when the rest of it cannot.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final
from uuid import UUID

import orjson

from fleet.cause import Cause
from fleet.dead_letters import Refusal
from fleet.envelope import Message, Record, uuid7
from fleet.inbox import Admitted, Unreadable, read
from schemas.fields import Event, Identifier
from schemas.journals import JournalRefused, JournalRequested
from services.ledger.domain.journals import Answer, EntryRequest, JournalRequest, Posted, Refused

REQUESTED: Final = "journal.requested"
POSTED: Final = "journal.posted"
REFUSED: Final = "journal.refused"
SENTENCE_CHARS_MAX: Final = 1900

Asked = JournalRequested | Refused


class _Named(Event):
    """As much of a request as an answer needs."""

    source: Identifier
    event_type: Identifier


def journal_requested(record: Record) -> Asked:
    """Read a request; one that breaks the schema but names its source is refused, not unreadable."""
    try:
        return read(record, JournalRequested)
    except Unreadable as error:
        if error.reason != "invalid":
            raise
        sentence = error.sentence
    named = read(record, _Named)
    return Refused(
        source=named.source,
        event_type=named.event_type,
        reason="invalid",
        sentence=f"journal {named.source}: {sentence}",
    )


def journal_request(admitted: Admitted[Asked]) -> JournalRequest | Refused:
    """Give an admitted request the id its journal will have."""
    asked = admitted.event
    if isinstance(asked, Refused):
        return asked
    return request_of(asked, admitted.event_key)


def request_of(asked: JournalRequested, event_key: UUID | None) -> JournalRequest:
    """What is asked, under the id its journal will have; `event_key`: the event that asks."""
    return JournalRequest(
        journal_id=uuid7(),
        source=asked.source,
        event_type=asked.event_type,
        occurred_at=asked.occurred_at.astimezone(UTC),
        entries=tuple([EntryRequest(entry.wallet, asked.currency, entry.amount) for entry in asked.entries]),
        memo=asked.memo,
        request_event_id=event_key,
    )


def answers(asked: Sequence[Admitted[Any]], given: Sequence[Answer]) -> list[Message]:
    """One message for each request, caused by it."""
    return [answer(one, item.cause) for item, one in zip(asked, given, strict=True)]


def answer(given: Answer, cause: Cause) -> Message:
    return journal_posted(given, cause) if isinstance(given, Posted) else _refused(given, cause)


def refusals(asked: Sequence[Admitted[Any]], given: Sequence[Answer]) -> list[Refusal]:
    """The requests that were refused, for a person to look at."""
    return [
        Refusal(admitted=item, reason=answer.reason, sentence=answer.sentence, subject=answer.source)
        for item, answer in zip(asked, given, strict=True)
        if isinstance(answer, Refused)
    ]


def journal_posted(answer: Posted, cause: Cause) -> Message:
    """The journal's id is its event's id: told again, byte for byte, whoever knows it drops it.

    Written as JournalPosted would write it, without asking it: what is in it was validated when it was asked
    for, or is the database's, and a ledger says this more often than anything else (docs/decisions/0133).
    """
    journal = answer.journal
    said = {
        "journal_id": str(journal.journal_id),
        "source": journal.source,
        "event_type": journal.event_type,
        "currency": journal.entries[0].currency,
        "occurred_at": journal.occurred_at,
        "recorded_at": answer.recorded_at,
        "entries": [
            {
                "wallet": entry.wallet,
                "amount": entry.amount,
                "balance_after": entry.balance_after,
                "version": entry.version,
            }
            for entry in journal.entries
        ],
        "memo": journal.memo,
    }
    event = orjson.dumps(said, option=orjson.OPT_UTC_Z)
    return Message(topic=POSTED, key=journal.source, event=event, cause=cause, event_id=journal.journal_id)


def _refused(answer: Refused, cause: Cause) -> Message:
    event = JournalRefused(
        source=answer.source,
        event_type=answer.event_type,
        reason=answer.reason,
        sentence=answer.sentence[:SENTENCE_CHARS_MAX],
        shortfall=answer.shortfall,
    )
    return Message(topic=REFUSED, key=answer.source, event=event, cause=cause)
