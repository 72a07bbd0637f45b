"""journal.requested as requests; replies as journal.posted, journal.refused and dead letters.

A request whose source can be read gets a reply, even if the rest of it cannot be read.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final
from uuid import UUID

import orjson

from fleet.cause import Cause
from fleet.dead_letters import Refusal
from fleet.envelope import OWN_SOURCES, Message, Record, named_uuid, restamped
from fleet.inbox import Admitted, Unreadable, read
from schemas.fields import Event, Identifier
from schemas.journal_types import publisher_of_journal, service_of_journal
from schemas.journals import JournalRefused, JournalRequested
from services.ledger.domain.journals import (
    EntryRequest,
    JournalReply,
    JournalRequest,
    PostedJournal,
    RefusedJournal,
    refuse,
)

REQUESTED: Final = "journal.requested"
POSTED: Final = "journal.posted"
REFUSED: Final = "journal.refused"
SENTENCE_CHARS_MAX: Final = 1900

ReadRequest = JournalRequested | RefusedJournal


class _Named(Event):
    """The fields of a request that its reply needs."""

    source: Identifier
    event_type: Identifier


def journal_requested(record: Record, *, proved: bool = False) -> ReadRequest:
    """Read a request; one that breaks the schema but names its source is refused, not unreadable.

    proved: the service that the record names wrote it, and it asks for journals of its own. Raises
    Unreadable: nobody is answered in another's name.
    """
    asked = _read(record)
    if not proved:
        return asked
    publisher = record.headers.get("ce_source", "").removeprefix(OWN_SOURCES)
    if publisher_of_journal(asked.event_type, asked.source) != publisher:
        raise Unreadable(
            "belongs_to_a_service",
            f"{publisher} asks for journal {asked.source} of type {asked.event_type}: not one of its own",
        )
    return asked


def _read(record: Record) -> ReadRequest:
    try:
        return read(record, JournalRequested)
    except Unreadable as error:
        if error.reason != "invalid":
            raise
        sentence = error.sentence
    named = read(record, _Named)
    return RefusedJournal(
        source=named.source,
        event_type=named.event_type,
        reason="invalid",
        sentence=f"journal {named.source}: {sentence}",
    )


def journal_request(admitted: Admitted[ReadRequest]) -> JournalRequest | RefusedJournal:
    """Give an admitted request the id its journal will have."""
    body = admitted.event
    if isinstance(body, RefusedJournal):
        return body
    return request_of(body, admitted.event_key)


def request_of(body: JournalRequested, event_key: UUID | None) -> JournalRequest:
    """Give a request the id its journal will have. event_key: the id of the event that made the request.

    The id follows from source and date: a journal that is posted again after a restore is the same journal.
    """
    occurred_at = body.occurred_at.astimezone(UTC)
    return JournalRequest(
        journal_id=named_uuid(body.source, occurred_at),
        source=body.source,
        event_type=body.event_type,
        occurred_at=occurred_at,
        entries=tuple([EntryRequest(entry.wallet, body.currency, entry.amount) for entry in body.entries]),
        memo=body.memo,
        request_event_id=event_key,
        moves=body.moves,
    )


def for_people(request: JournalRequest) -> JournalRequest | RefusedJournal:
    """Refuse what is a service's: it would be paid, or stand where the service's own journal belongs."""
    service = service_of_journal(request.event_type, request.source)
    if service is None:
        return request
    return refuse(
        request,
        "belongs_to_a_service",
        f"is not for people to post: {service} posts journals of such an event type and source; take others, "
        "such as manual and manual:2026-041, or revert the journal that is wrong",
    )


def messages(admitted: Sequence[Admitted[Any]], replies: Sequence[JournalReply]) -> list[Message]:
    """One message for each request, caused by it."""
    return [message(one, item.cause) for item, one in zip(admitted, replies, strict=True)]


def message(reply: JournalReply, cause: Cause) -> Message:
    return journal_posted(reply, cause) if isinstance(reply, PostedJournal) else _refused(reply, cause)


def refusals(admitted: Sequence[Admitted[Any]], replies: Sequence[JournalReply]) -> list[Refusal]:
    """A dead letter for each request that is refused."""
    return [
        Refusal(admitted=item, reason=reply.reason, sentence=reply.sentence, subject=reply.source)
        for item, reply in zip(admitted, replies, strict=True)
        if isinstance(reply, RefusedJournal)
    ]


def journal_posted(reply: PostedJournal, cause: Cause) -> Message:
    """The event that announces a journal. Its id follows from the journal's and the time of recording.

    So consumers drop a repeat by their inbox, and take in a journal that is recorded again after a restore.

    It has the bytes that JournalPosted would write, without the cost of that model: the values were validated
    with the request or come from the database, and this is the event written most (docs/decisions/0133).
    """
    journal = reply.journal
    body = {
        "journal_id": str(journal.journal_id),
        "source": journal.source,
        "event_type": journal.event_type,
        "currency": journal.entries[0].currency,
        "occurred_at": journal.occurred_at,
        "recorded_at": reply.recorded_at,
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
    event = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    event_id = restamped(journal.journal_id, reply.recorded_at)
    return Message(topic=POSTED, key=journal.source, event=event, cause=cause, event_id=event_id)


def _refused(reply: RefusedJournal, cause: Cause) -> Message:
    event = JournalRefused(
        source=reply.source,
        event_type=reply.event_type,
        reason=reply.reason,
        sentence=reply.sentence[:SENTENCE_CHARS_MAX],
        shortfall=reply.shortfall,
    )
    return Message(topic=REFUSED, key=reply.source, event=event, cause=cause)
