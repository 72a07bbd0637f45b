"""What people asked for in the console: a preview each, and after it a decision at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx, json_parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the owning service said: `outcome` is None until it did."""

    outcome: str | None
    sentence: str | None
    effects: Sequence[Mapping[str, Any]]
    preview_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One object of a bundle that a person acts on, with the preview and what became of the decision."""

    preview_id: UUID
    decision_id: UUID
    person: str
    service: str
    action: str
    object: str
    parameters: Mapping[str, Any]
    why: str
    asked_at: datetime
    decided_at: datetime | None
    preview: Answer
    decision: Answer


_INSERT: Final = """
    INSERT INTO act (preview_id, bundle_id, decision_id, position, person, service, action, object,
                     parameters, why)
    VALUES (:preview_id, :bundle_id, :decision_id, :position, :person, :service, :action, :object,
            CAST(:parameters AS jsonb), :why)
"""


async def insert(
    tx: Tx,
    *,
    bundle_id: UUID,
    position: int,
    preview_id: UUID,
    decision_id: UUID,
    person: str,
    service: str,
    action: str,
    object_name: str,
    parameters: Mapping[str, Any],
    why: str,
) -> None:
    """Keep what a person asks to see the consequence of."""
    await tx.execute(
        _INSERT,
        bundle_id=bundle_id,
        position=position,
        preview_id=preview_id,
        decision_id=decision_id,
        person=person,
        service=service,
        action=action,
        object=object_name,
        parameters=json_parameter(dict(parameters)),
        why=why,
    )


_OF_BUNDLE: Final = """
    SELECT act.preview_id, act.decision_id, act.person, act.service, act.action, act.object, act.parameters,
           act.why, act.asked_at, act.decided_at,
           shown.outcome AS shown_outcome, shown.sentence AS shown_sentence, shown.effects AS shown_effects,
           shown.answer_hash AS shown_hash,
           done.outcome, done.sentence, done.effects
    FROM act
    LEFT JOIN decision AS shown ON shown.decision_id = act.preview_id
    LEFT JOIN decision AS done ON done.decision_id = act.decision_id
    WHERE act.bundle_id = :bundle_id AND act.person = :person
    ORDER BY act.position
"""


async def of_bundle(tx: Tx, bundle_id: UUID, person: str) -> list[Act]:
    """The acts of a bundle that this person asked for, in their order; empty: there is none of theirs."""
    return [
        Act(
            preview_id=row.preview_id,
            decision_id=row.decision_id,
            person=row.person,
            service=row.service,
            action=row.action,
            object=row.object,
            parameters=row.parameters,
            why=row.why,
            asked_at=row.asked_at,
            decided_at=row.decided_at,
            preview=Answer(
                outcome=row.shown_outcome,
                sentence=row.shown_sentence,
                effects=row.shown_effects or [],
                preview_hash=row.shown_hash,
            ),
            decision=Answer(
                outcome=row.outcome, sentence=row.sentence, effects=row.effects or [], preview_hash=None
            ),
        )
        for row in await tx.all(_OF_BUNDLE, bundle_id=bundle_id, person=person)
    ]


# Two tabs that press at once wait here for each other, and the second finds nothing left to decide.
_CLAIM: Final = """
    UPDATE act SET decided_at = now()
    FROM decision AS shown
    WHERE act.bundle_id = :bundle_id AND act.person = :person AND act.decided_at IS NULL
      AND shown.decision_id = act.preview_id AND shown.outcome = 'previewed'
    RETURNING act.decision_id
"""


async def claim(tx: Tx, bundle_id: UUID, person: str) -> set[UUID]:
    """The decisions of a bundle to ask for now; each is claimed once, however often somebody presses."""
    return {row.decision_id for row in await tx.all(_CLAIM, bundle_id=bundle_id, person=person)}


_UNANSWERED: Final = """
    SELECT count(*) AS waiting,
           coalesce(extract(epoch FROM now() - min(act.decided_at)), 0)::float AS oldest_s
    FROM act LEFT JOIN decision AS done ON done.decision_id = act.decision_id
    WHERE act.decided_at IS NOT NULL AND done.outcome IS NULL
"""


async def unanswered(tx: Tx) -> tuple[int, float]:
    """How many decisions were asked for and not answered, and for how many seconds the oldest has waited."""
    row = await tx.one(_UNANSWERED)
    return row.waiting, row.oldest_s


_WAITING: Final = """
    SELECT count(*) AS waiting FROM act
    LEFT JOIN decision AS shown ON shown.decision_id = act.preview_id
    LEFT JOIN decision AS done ON done.decision_id = act.decision_id
    WHERE act.bundle_id = :bundle_id
      AND (shown.outcome IS NULL OR act.decided_at IS NOT NULL AND done.outcome IS NULL)
"""


async def still_waits(tx: Tx, bundle_id: UUID) -> bool:
    """Whether an answer to something of this bundle is still to come."""
    return bool((await tx.one(_WAITING, bundle_id=bundle_id)).waiting)
