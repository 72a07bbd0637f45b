"""hold.requested, limit.requested -> commands; what became of them -> events and dead letters."""

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
from services.ledger.domain.journals import Posted
from services.ledger.steps.holds import HoldCommand, HoldNow, LimitCommand, LimitNow, NotDone

REQUESTED: Final = "hold.requested"
CHANGED: Final = "hold.changed"
REFUSED: Final = "hold.refused"
LIMIT_REQUESTED: Final = "limit.requested"
LIMIT_CHANGED: Final = "limit.changed"


def hold_requested(record: Record) -> HoldRequested:
    return read(record, HoldRequested)


def limit_requested(record: Record) -> LimitRequested:
    return read(record, LimitRequested)


def hold_command(asked: HoldRequested) -> HoldCommand:
    return HoldCommand(**{field: getattr(asked, field) for field in HoldRequested.model_fields})


def limit_command(asked: LimitRequested) -> LimitCommand:
    return LimitCommand(wallet=asked.wallet, currency=asked.currency, floor=asked.floor, binds=asked.binds)


def hold_answers(
    asked: Sequence[Admitted[HoldRequested]],
    given: Sequence[HoldNow | NotDone],
    journals: Mapping[UUID, Posted],
) -> list[Message]:
    """One message for each command, and the journal's own for each that was posted now."""
    messages: list[Message] = []
    for item, answer in zip(asked, given, strict=True):
        if isinstance(answer, NotDone):
            messages.append(_refused(item, answer))
            continue
        messages.append(hold_changed(answer, item.cause))
        if answer.journal_id is not None:
            messages.append(wire.journals.journal_posted(journals[answer.journal_id], item.cause))
    return messages


def hold_changed(answer: HoldNow, cause: Cause) -> Message:
    return Message(topic=CHANGED, key=answer.hold, event=HoldChanged(**asdict(answer)), cause=cause)


def limit_answers(
    asked: Sequence[Admitted[LimitRequested]], given: Sequence[LimitNow | NotDone]
) -> list[Message]:
    """One message for each limit that stands; what was refused is a dead letter only."""
    return [
        Message(
            topic=LIMIT_CHANGED, key=answer.wallet, event=LimitChanged(**asdict(answer)), cause=item.cause
        )
        for item, answer in zip(asked, given, strict=True)
        if isinstance(answer, LimitNow)
    ]


def hold_refusals(
    asked: Sequence[Admitted[HoldRequested]], given: Sequence[HoldNow | NotDone]
) -> list[Refusal]:
    """What a person should look at. A hold over the limit is the limit at work, and answered: no letter."""
    return [
        Refusal(
            admitted=item,
            reason=answer.reason,
            sentence=answer.sentence,
            subject=f"hold:{item.event.hold}",
        )
        for item, answer in zip(asked, given, strict=True)
        if isinstance(answer, NotDone) and answer.shortfall is None
    ]


def limit_refusals(
    asked: Sequence[Admitted[LimitRequested]], given: Sequence[LimitNow | NotDone]
) -> list[Refusal]:
    return [
        Refusal(
            admitted=item,
            reason=answer.reason,
            sentence=answer.sentence,
            subject=f"limit:{item.event.wallet}",
        )
        for item, answer in zip(asked, given, strict=True)
        if isinstance(answer, NotDone)
    ]


def _refused(item: Admitted[HoldRequested], answer: NotDone) -> Message:
    event = HoldRefused(
        hold=item.event.hold,
        action=item.event.action,
        reason=answer.reason,
        sentence=answer.sentence[: wire.journals.SENTENCE_CHARS_MAX],
        shortfall=answer.shortfall,
    )
    return Message(topic=REFUSED, key=event.hold, event=event, cause=item.cause)
