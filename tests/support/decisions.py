"""A person's decision given to a service's own handler, without Kafka, and what the service answered."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.database import Database
from fleet.decisions import COMMON_ACTIONS, REQUESTED, Action, take_decisions
from fleet.envelope import Record, uuid7
from schemas.decisions import DecisionRequested, DecisionTaken, Who
from tests.support.records import record


def decision(
    service: str,
    action: str,
    object_name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    who: str = "ann",
    roles: tuple[str, ...] = ("operator",),
    why: str = "",
    dry_run: bool = False,
    preview_hash: str | None = None,
) -> Record:
    """A `decision.requested` record that is valid for a minute."""
    now = datetime.now(UTC)
    event = DecisionRequested(
        decision_id=uuid7(),
        service=service,
        action=action,
        object=object_name,
        parameters=dict(parameters or {}),
        who=Who(name=who, roles=list(roles), channel="test"),
        why=why,
        preview_hash=preview_hash,
        dry_run=dry_run,
        requested_at=now,
        valid_until=now + timedelta(minutes=1),
    )
    return record(REQUESTED, event, key=f"{service}/{object_name}", ce_id=event.decision_id)


async def answered(database: Database, actions: Mapping[str, Action], asked: Record) -> DecisionTaken:
    """Take one decision; its answer."""
    await take_decisions(database, {**COMMON_ACTIONS, **actions}, [asked])
    async with database.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = 'decision.taken'")
    taken = [DecisionTaken.model_validate_json(row.value) for row in rows]
    [answer] = [one for one in taken if str(one.decision_id) == asked.headers["ce_id"]]
    return answer
