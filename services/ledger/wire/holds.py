"""hold.requested and limit.requested as commands; replies as events and dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final
from uuid import UUID

from fleet.cause import Cause
from fleet.dead_letters import Refusal
from fleet.envelope import Message, Record
from fleet.inbox import Admitted, read
from schemas.holds import HoldChanged, HoldRefused, HoldRequested, LimitChanged, LimitRequested
from services.ledger import wire
from services.ledger.domain.holds import HoldChange, HoldCommand, LimitChange, LimitCommand, RefusedCommand
from services.ledger.domain.journals import PostedJournal

REQUESTED: Final = "hold.requested"
CHANGED: Final = "hold.changed"
REFUSED: Final = "hold.refused"
LIMIT_REQUESTED: Final = "limit.requested"
LIMIT_CHANGED: Final = "limit.changed"


def hold_requested(record: Record) -> HoldRequested:
    return read(record, HoldRequested)


def limit_requested(record: Record) -> LimitRequested:
    return read(record, LimitRequested)


def hold_command(body: HoldRequested) -> HoldCommand:
    return HoldCommand(**{field: getattr(body, field) for field in HoldRequested.model_fields})


def limit_command(body: LimitRequested) -> LimitCommand:
    return LimitCommand(wallet=body.wallet, currency=body.currency, floor=body.floor, binds=body.binds)


def hold_messages(
    admitted: Sequence[Admitted[HoldRequested]],
    replies: Sequence[HoldChange | RefusedCommand],
    journals: Mapping[UUID, PostedJournal],
) -> list[Message]:
    """One message for each command, and one more for each journal that a command posted."""
    messages: list[Message] = []
    for item, reply in zip(admitted, replies, strict=True):
        if isinstance(reply, RefusedCommand):
            messages.append(_refused(item, reply))
            continue
        messages += changed_messages(reply, journals, item.cause)
    return messages


def changed_messages(
    reply: HoldChange, journals: Mapping[UUID, PostedJournal], cause: Cause
) -> list[Message]:
    """What is told of a hold that a command changed: the hold, and the journal that posted it."""
    messages = [hold_changed(reply.replaced, cause)] if reply.replaced else []
    messages.append(hold_changed(reply, cause))
    if reply.journal_id is not None:
        messages.append(wire.journals.journal_posted(journals[reply.journal_id], cause))
    return messages


def hold_changed(reply: HoldChange, cause: Cause) -> Message:
    said = {name: value for name, value in asdict(reply).items() if name != "replaced"}
    return Message(topic=CHANGED, key=reply.hold, event=HoldChanged(**said), cause=cause)


def limit_messages(
    admitted: Sequence[Admitted[LimitRequested]], replies: Sequence[LimitChange | RefusedCommand]
) -> list[Message]:
    """One message for each limit that is set; a refused command is a dead letter only."""
    return [
        limit_changed(reply, item.cause)
        for item, reply in zip(admitted, replies, strict=True)
        if isinstance(reply, LimitChange)
    ]


def limit_changed(reply: LimitChange, cause: Cause) -> Message:
    return Message(topic=LIMIT_CHANGED, key=reply.wallet, event=LimitChanged(**asdict(reply)), cause=cause)


def hold_refusals(
    admitted: Sequence[Admitted[HoldRequested]], replies: Sequence[HoldChange | RefusedCommand]
) -> list[Refusal]:
    """Dead letters of refused commands, but for holds over a limit: limits are there to refuse those."""
    return [
        Refusal(
            admitted=item,
            reason=reply.reason,
            sentence=reply.sentence,
            subject=f"hold:{item.event.hold}",
        )
        for item, reply in zip(admitted, replies, strict=True)
        if isinstance(reply, RefusedCommand) and reply.shortfall is None
    ]


def limit_refusals(
    admitted: Sequence[Admitted[LimitRequested]], replies: Sequence[LimitChange | RefusedCommand]
) -> list[Refusal]:
    return [
        Refusal(
            admitted=item,
            reason=reply.reason,
            sentence=reply.sentence,
            subject=f"limit:{item.event.wallet}",
        )
        for item, reply in zip(admitted, replies, strict=True)
        if isinstance(reply, RefusedCommand)
    ]


def _refused(item: Admitted[HoldRequested], reply: RefusedCommand) -> Message:
    event = HoldRefused(
        hold=item.event.hold,
        action=item.event.action,
        reason=reply.reason,
        sentence=reply.sentence[: wire.journals.SENTENCE_CHARS_MAX],
        shortfall=reply.shortfall,
    )
    return Message(topic=REFUSED, key=event.hold, event=event, cause=item.cause)
