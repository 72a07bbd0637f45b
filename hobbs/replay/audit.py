"""Who replayed what, when and why: an answer on `decision.taken`, which is kept for ever and is the audit."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fleet import outbox
from fleet.database import Database
from fleet.decisions import EFFECTS_MAX, SENTENCE_CHARS_MAX, TAKEN, DecisionTaken, key_of
from fleet.envelope import Message, Record, first_cause, uuid7
from hobbs.replay.decided import bodies

ACTION: Final = "replay"


async def note(
    db: Database, *, topic: str, who: str, why: str, what: str, effects: Sequence[Mapping[str, Any]]
) -> None:
    """Stage it in the service's own outbox, before the first record is handled; the service publishes it.

    what: the range, for people; effects: what the rehearsal said would be written.
    """
    now = datetime.now(UTC)
    sentence = f"{who} replays {what} of {topic} to {db.schema}" + (f": {why}" if why else "")
    event = DecisionTaken(
        decision_id=uuid7(),
        service=db.schema,
        action=ACTION,
        object=f"topic:{topic}",
        outcome="done",
        sentence=sentence[:SENTENCE_CHARS_MAX],
        effects=[dict(effect) for effect in effects[:EFFECTS_MAX]],
        preview_hash=None,
        taken_at=now,
        who=who,
        login=None,
    )
    key = key_of(db.schema, event.object)
    async with db.transaction() as tx:
        await outbox.stage(tx, [Message(topic=TAKEN, key=key, event=event, cause=first_cause())])


async def past(batches: AsyncIterator[Sequence[Record]]) -> list[dict[str, Any]]:
    """The replays among records of `decision.taken`, oldest first."""
    told = ("taken_at", "service", "sentence")
    return [
        {name: said[name] for name in told}
        async for said in bodies(batches)
        if said.get("action") == ACTION and said.keys() >= set(told)
    ]
