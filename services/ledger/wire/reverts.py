"""revert.requested -> domain; the answers are those of journals."""

from typing import Final

from fleet.envelope import Record, uuid7
from fleet.inbox import Admitted, read
from schemas.journals import RevertRequested
from services.ledger.domain.reverts import RevertRequest

REQUESTED: Final = "revert.requested"


def revert_requested(record: Record) -> RevertRequested:
    return read(record, RevertRequested)


def revert_request(admitted: Admitted[RevertRequested]) -> RevertRequest:
    """Give an admitted request the id its journal will have."""
    asked = admitted.event
    return RevertRequest(
        journal_id=uuid7(),
        reverts=asked.reverts,
        occurred_at=asked.occurred_at,
        memo=asked.memo,
        request_event_id=admitted.event_key,
    )
