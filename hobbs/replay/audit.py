"""Who replayed what, when and why: an answer on `decision.taken`, which is kept for ever and is the audit."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fleet import outbox
from fleet.database import Database, Tx
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
    sentence = f"{who} replays {what} of {topic} to {db.schema}" + (f": {why}" if why else "")
    async with db.transaction() as tx:
        await told(tx, action=ACTION, about=f"topic:{topic}", sentence=sentence, who=who, effects=effects)


async def told(
    tx: Tx,
    *,
    action: str,
    about: str,
    sentence: str,
    who: str,
    effects: Sequence[Mapping[str, Any]],
) -> None:
    """Stage an answer that nobody asked for on the topic, in the outbox of this transaction's service."""
    event = DecisionTaken(
        decision_id=uuid7(),
        service=tx.service,
        action=action,
        object=about,
        outcome="done",
        sentence=sentence[:SENTENCE_CHARS_MAX],
        effects=[dict(effect) for effect in effects[:EFFECTS_MAX]],
        preview_hash=None,
        taken_at=datetime.now(UTC),
        who=who,
        login=None,
    )
    key = key_of(tx.service, event.object)
    await outbox.stage(tx, [Message(topic=TAKEN, key=key, event=event, cause=first_cause())])


async def past(batches: AsyncIterator[Sequence[Record]]) -> list[dict[str, Any]]:
    """The replays among records of `decision.taken`, oldest first."""
    told = ("taken_at", "service", "sentence")
    return [
        {name: said[name] for name in told}
        async for said in bodies(batches)
        if said.get("action") == ACTION and said.keys() >= set(told)
    ]
