"""Messages out: what became of an adjustment, and the journal that it asks the ledger for."""

from datetime import datetime

from fleet.envelope import Message
from schemas.adjustments import AdjustmentChanged, PartyDifference
from schemas.journals import EntryRequest, JournalRequested
from services.adjustments.domain.adjustments import Adjustment

EVENT_TYPE = "adjustment"
SENTENCE_CHARS_MAX = 2_000


def changed(adjustment: Adjustment, now: datetime) -> Message:
    """Tell where an adjustment stands now."""
    event = AdjustmentChanged(
        adjustment_id=adjustment.id,
        flight_id=adjustment.flight_id,
        revision=adjustment.revision,
        state=adjustment.state.value,
        currency=adjustment.currency,
        differences=[
            PartyDifference(wallet=wallet, amount=amount) for wallet, amount in adjustment.differences.items()
        ],
        sentence=adjustment.sentence[:SENTENCE_CHARS_MAX],
        changed_at=now,
    )
    return Message(topic="adjustment.changed", key=adjustment.flight_id, event=event, cause=adjustment.trace)


def journal_requested(adjustment: Adjustment) -> Message:
    """Ask the ledger to post the differences; asked again it is the same journal."""
    event = JournalRequested(
        source=adjustment.source,
        event_type=EVENT_TYPE,
        currency=adjustment.currency,
        occurred_at=adjustment.occurred_at,
        memo=f"flight {adjustment.flight_id}, revision {adjustment.revision}: {adjustment.reason}"[
            :SENTENCE_CHARS_MAX
        ],
        entries=[
            EntryRequest(wallet=wallet, amount=amount) for wallet, amount in adjustment.differences.items()
        ],
    )
    return Message(topic="journal.requested", key=event.source, event=event, cause=adjustment.trace)
