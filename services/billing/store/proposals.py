"""The statements about proposed changes of rates. Lock order: the book, then a proposal."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.billing.domain.proposals import Proposal, ProposalState

_STANDING: Final = """
    SELECT document FROM card WHERE kind = :kind AND key = :key AND effective_from <= :day
    ORDER BY effective_from DESC LIMIT 1
"""
_NEXT: Final = """
    SELECT min(effective_from) AS day FROM card WHERE kind = :kind AND key = :key AND effective_from > :day
"""


async def standing(tx: Tx, kind: str, key: str, day: date) -> Mapping[str, Any] | None:
    """The card in force on a day, as the book is; None: there is none."""
    row = await tx.first(_STANDING, kind=kind, key=key, day=day)
    return row.document if row else None


async def next_card(tx: Tx, kind: str, key: str, day: date) -> date | None:
    """From when on a later card of the same place is in force; None: there is none."""
    found: date | None = (await tx.one(_NEXT, kind=kind, key=key, day=day)).day
    return found


_INSERT: Final = """
    INSERT INTO rate_proposal (id, kind, key, effective_from, old, new, proposed_by, why, proposed_at)
    VALUES (:id, :kind, :key, :day, CAST(:old AS jsonb), CAST(:new AS jsonb), :who, :why, :now)
    ON CONFLICT (kind, key, effective_from) WHERE state = 'waiting' DO NOTHING
"""


async def insert(tx: Tx, proposal: Proposal, now: datetime) -> bool:
    """Keep a proposal; False: one of the same card and day waits already."""
    return (
        await tx.execute(
            _INSERT,
            id=proposal.id,
            kind=proposal.kind,
            key=proposal.key,
            day=proposal.effective_from,
            old=json_parameter(dict(proposal.old)),
            new=json_parameter(dict(proposal.new)),
            who=proposal.proposed_by,
            why=proposal.why,
            now=now,
        )
        > 0
    )


_LOCK: Final = """
    SELECT id, kind, key, effective_from, old, new, proposed_by, why, state
    FROM rate_proposal WHERE id = :id FOR UPDATE
"""


async def lock(tx: Tx, proposal_id: UUID) -> Proposal | None:
    """Take a proposal for a decision; None: there is none."""
    row = await tx.first(_LOCK, id=proposal_id)
    return Proposal(**{**row._mapping, "state": ProposalState(row.state)}) if row else None


_DECIDE: Final = """
    UPDATE rate_proposal
    SET state = :state, decided_by = :who, decided_why = :why, decided_at = :now, version = :version
    WHERE id = :id AND state = 'waiting'
"""


async def decide(
    tx: Tx,
    proposal_id: UUID,
    state: ProposalState,
    *,
    who: str,
    why: str,
    now: datetime,
    version: int | None = None,
) -> None:
    """Write down what became of a locked proposal that waited; version: of the book that has it."""
    await tx.execute(_DECIDE, id=proposal_id, state=state, who=who, why=why, now=now, version=version)
