"""What people may decide about flights that do not agree: compare them now, say why one is right."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fleet.database import Tx
from fleet.decisions import RUNNERS, Action, Decision, Ruling, refused
from fleet.zones import local_date
from services.reserves import steps, store
from services.reserves.desk.objects import numbered


async def match_flights(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Compare the flights of the last weeks now. Object: `today`."""
    today = local_date(now, await store.days.time_zone(tx))
    found = await steps.mismatches.compare(tx, today, now)
    waiting = sum((await store.mismatches.open_by_kind(tx)).values())
    return Ruling(
        done=True, sentence=f"{len(found)} do not agree, {waiting} of all that do not are not explained"
    )


async def explain(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Say why a mismatch is as it should be; it asks again when it changes. Object: its number."""
    named = numbered(decision.object)
    found = None if named is None else await store.mismatches.lock(tx, named)
    if found is None:
        return refused(f"there is no mismatch {decision.object}; `hobbs reconcile flights` shows all")
    if found.is_closed:
        return refused(f"mismatch {found.id} is over: {found.sentence}")
    if not decision.why.strip():
        return refused("an explanation is needed (--why): what was looked at?")
    await store.mismatches.explain(
        tx, found, decision_id=decision.decision_id, who=decision.who.name, why=decision.why, now=now
    )
    return Ruling(done=True, sentence=f"mismatch {found.id} is explained: {found.sentence}")


ACTIONS: Final[Mapping[str, Action]] = {
    "match_flights": Action(judge=match_flights, roles=RUNNERS),
    "explain": Action(judge=explain),
}
