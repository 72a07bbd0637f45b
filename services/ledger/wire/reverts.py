"""revert.requested as a request; the replies are those of journals."""

from typing import Final

from fleet.envelope import Record, named_uuid
from fleet.inbox import Admitted, read
from schemas.journals import RevertRequested
from services.ledger.domain.reverts import RevertRequest

REQUESTED: Final = "revert.requested"


def revert_requested(record: Record) -> RevertRequested:
    return read(record, RevertRequested)


def revert_request(admitted: Admitted[RevertRequested]) -> RevertRequest:
    """Give an admitted request the id its journal will have."""
    body = admitted.event
    return RevertRequest(
        journal_id=named_uuid(f"revert {body.reverts}", body.occurred_at),
        reverts=body.reverts,
        occurred_at=body.occurred_at,
        memo=body.memo,
        request_event_id=admitted.event_key,
    )
