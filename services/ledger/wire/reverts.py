"""revert.requested as a request; the replies are those of journals."""

from typing import Final

from fleet import proofs
from fleet.envelope import Record, named_uuid
from fleet.inbox import Admitted, Unreadable, read
from fleet.proofs import NO_KEYS, Keys
from schemas.journal_types import ASK_FOR_REVERTS
from schemas.journals import RevertRequested
from services.ledger.domain.reverts import RevertRequest

REQUESTED: Final = "revert.requested"


def revert_requested(record: Record, publishers: Keys = NO_KEYS) -> RevertRequested:
    """Read a request. Raises Unreadable also when no publisher's proof says that it is one."""
    asked = read(record, RevertRequested)
    if publishers and proofs.publisher(record, publishers) not in ASK_FOR_REVERTS:
        raise Unreadable(proofs.NOT_PROVED, proofs.NOT_PROVED_SENTENCE)
    return asked


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
