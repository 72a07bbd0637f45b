"""How a person's act becomes a preview and then a decision: through the outbox, once for each form.

The preview is asked for first, and what it showed is what is decided: the form that follows names only the
bundle, and services refuse a decision that would do anything else than its preview (its hash). A bundle's
decisions are claimed in the transaction that stages them: a form that is sent twice, from two tabs or after
going back, asks for nothing new.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from console import store
from console.context import Visit
from console.forms import Act
from console.store import acts
from fleet import outbox
from fleet.decisions import REQUESTED, key_of
from fleet.envelope import Message, first_cause, uuid7
from schemas.decisions import DecisionRequested, Who

CHANNEL: Final = "console"
LOOK_EVERY_S: Final = 0.1
LOOK_TIMES: Final = 40  # before the page says that it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One object that is acted on: of this service, with these parameters."""

    service: str
    object: str
    parameters: Mapping[str, Any]


async def preview(visit: Visit, act: Act, asked: Sequence[Asked], why: str) -> UUID:
    """Ask what the act would do to each object; the id of the bundle that its previews make up."""
    bundle_id = uuid7()
    async with visit.console.db.transaction() as tx:
        for position, one in enumerate(asked):
            preview_id = uuid7()
            await acts.insert(
                tx,
                bundle_id=bundle_id,
                position=position,
                preview_id=preview_id,
                decision_id=uuid7(),
                person=visit.person.name,
                service=one.service,
                action=act.action,
                object_name=one.object,
                parameters=one.parameters,
                why=why,
            )
            message = _message(visit, preview_id, act.action, one, why, dry_run=True)
            await outbox.stage(tx, [message])
            await store.decisions.vouch(tx, one.service, message)
    await _settle(visit, bundle_id)
    return bundle_id


async def decide(visit: Visit, bundle_id: UUID) -> bool:
    """Ask for what the bundle's previews showed; False: nothing of it is left to ask for."""
    async with visit.console.db.transaction() as tx:
        claimed = await acts.claim(tx, bundle_id, visit.person.name)
        for one in await acts.of_bundle(tx, bundle_id, visit.person.name):
            if one.decision_id in claimed:
                asked = Asked(service=one.service, object=one.object, parameters=one.parameters)
                message = _message(
                    visit, one.decision_id, one.action, asked, one.why, shown=one.preview.preview_hash
                )
                await outbox.stage(tx, [message])
                await store.decisions.vouch(tx, one.service, message)
    await _settle(visit, bundle_id)
    return bool(claimed)


def _message(
    visit: Visit,
    decision_id: UUID,
    action: str,
    asked: Asked,
    why: str,
    *,
    dry_run: bool = False,
    shown: str | None = None,
) -> Message:
    now = visit.console.clock()
    event = DecisionRequested(
        decision_id=decision_id,
        service=asked.service,
        action=action,
        object=asked.object,
        parameters=dict(asked.parameters),
        who=Who(name=visit.person.name, roles=visit.person.asks_as, channel=CHANNEL),
        why=why,
        preview_hash=shown,
        dry_run=dry_run,
        requested_at=now,
        valid_until=now + timedelta(seconds=visit.console.settings.console_answer_within_s),
    )
    key = key_of(asked.service, asked.object)
    return Message(topic=REQUESTED, key=key, event=event, cause=first_cause(), event_id=decision_id)


async def _settle(visit: Visit, bundle_id: UUID) -> None:
    """Wait a moment for the answers: most come at once, and the page then shows them without asking again."""
    for _ in range(LOOK_TIMES):
        if not await _waits(visit, bundle_id):
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _waits(visit: Visit, bundle_id: UUID) -> bool:
    async with visit.console.db.transaction() as tx:
        return await store.acts.still_waits(tx, bundle_id)
