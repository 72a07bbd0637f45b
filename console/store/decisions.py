"""The console's copy of both decision topics: the audit, and the answers that people wait for."""

from collections.abc import Sequence
from typing import Final

from fleet.database import Tx, json_parameter
from fleet.envelope import Message
from fleet.vouches import digest_of
from schemas.decisions import DecisionRequested, DecisionTaken

_ASKED: Final = """
    INSERT INTO decision (decision_id, service, action, object, parameters, person, roles, channel, why,
                          preview_hash, dry_run, requested_at)
    SELECT decision_id, service, action, object, parameters, who ->> 'name',
           ARRAY(SELECT jsonb_array_elements_text(who -> 'roles')), who ->> 'channel', why, preview_hash,
           dry_run, requested_at
    FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS asked (
        decision_id uuid, service text, action text, object text, parameters jsonb, who jsonb, why text,
        preview_hash text, dry_run boolean, requested_at timestamptz)
    ORDER BY decision_id
    ON CONFLICT ON CONSTRAINT decision_is_copied_once DO UPDATE
    SET parameters = excluded.parameters, person = excluded.person, roles = excluded.roles,
        channel = excluded.channel, why = excluded.why, preview_hash = excluded.preview_hash,
        dry_run = excluded.dry_run, requested_at = excluded.requested_at
    WHERE decision.requested_at IS NULL
"""
_TAKEN: Final = """
    INSERT INTO decision (decision_id, service, action, object, outcome, sentence, effects, answer_hash,
                          taken_at, taken_as, login)
    SELECT decision_id, service, action, object, outcome, sentence, effects, preview_hash, taken_at,
           who, login
    FROM jsonb_to_recordset(CAST(:taken AS jsonb)) AS taken (
        decision_id uuid, service text, action text, object text, outcome text, sentence text, effects jsonb,
        preview_hash text, taken_at timestamptz, who text, login text)
    ORDER BY decision_id
    ON CONFLICT ON CONSTRAINT decision_is_copied_once DO UPDATE
    SET outcome = excluded.outcome, sentence = excluded.sentence, effects = excluded.effects,
        answer_hash = excluded.answer_hash, taken_at = excluded.taken_at, taken_as = excluded.taken_as,
        login = excluded.login
    WHERE decision.taken_at IS NULL
"""


async def copy_asked(tx: Tx, asked: Sequence[DecisionRequested]) -> None:
    """Keep what was asked, each decision once: the first that comes under an id is the one that counts."""
    unique = {one.decision_id: one for one in reversed(asked)}
    if unique:
        rows = [one.model_dump(mode="json") for one in unique.values()]
        await tx.execute(_ASKED, asked=json_parameter(rows))


async def copy_taken(tx: Tx, taken: Sequence[DecisionTaken]) -> None:
    """Keep what was answered, each answer once."""
    unique = {one.decision_id: one for one in reversed(taken)}
    if unique:
        rows = [one.model_dump(mode="json") for one in unique.values()]
        await tx.execute(_TAKEN, taken=json_parameter(rows))


_VOUCH: Final = "SELECT vouch_to(:service, :id, :digest)"


async def vouch(tx: Tx, service: str, message: Message) -> None:
    """Say to a service, as the console's login, that the console asks for this (fleet/vouches.py)."""
    await tx.execute(_VOUCH, service=service, id=message.event_id, digest=digest_of(message.body))
