"""What people decide about a student's own limit: one person sets it, and a second agrees to a large rise."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.zones import local_date
from services.billing import steps, store
from services.billing.desk.proposals import change_set, problem_of
from services.billing.desk.reads import limits
from services.billing.domain import own_limits
from services.billing.domain.own_limits import OwnLimit
from services.billing.domain.proposals import OWN_LIMIT, Proposal

SETTINGS: Final = ("frozen", "limit", "until")


async def set_limit(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Set what a student may owe, from today on. object: the student's id.

    parameters: `limit`, minor units, none for no limit; `until`, the last day, none for good; `frozen`. It is
    the whole card: what is not told is none, or false. A rise by more than the book's `allowed_by_one_up_to`
    waits until somebody else approves it (`approve_rates`).
    """
    student, asked = decision.object, own_limits.read(decision.parameters)
    if isinstance(asked, str):
        return refused(asked)
    if not decision.why.strip():
        return refused("say why: the reason stays in the book's history")
    version = await store.book.lock(tx)
    today = local_date(now, await store.own_limits.time_zone(tx))
    if not await store.own_limits.is_known(tx, student):
        return refused(f"neither the book nor a bill names a student {student}")
    if asked.until is not None and asked.until < today:
        return refused(f"{asked.until} is over")
    proposal = Proposal(
        id=decision.decision_id,
        kind=OWN_LIMIT,
        key=student,
        effective_from=today,
        old=await store.proposals.standing(tx, OWN_LIMIT, student, today) or {},
        new=asked.document(),
        proposed_by=decision.who.name,
        why=decision.why,
    )
    if problem := problem_of(proposal):
        return refused(f"the book would not take this: {problem}")
    in_force = await limits.in_force(tx, student, today)
    if (in_force.limit, in_force.frozen) == (asked.limit, asked.frozen) and not proposal.changes():
        return refused("the limit is this already")
    by_one = await store.own_limits.allowed_by_one_up_to(tx, today)
    stood = [in_force, await limits.in_force(tx, student, today - timedelta(days=1))]
    if own_limits.needs_second(asked, stood, by_one_up_to=by_one):
        return await _propose(tx, proposal, asked, in_force, now)
    return await _apply(tx, proposal, asked, in_force, decision, version, now)


async def _propose(
    tx: Tx, proposal: Proposal, asked: OwnLimit, before: own_limits.InForce, now: datetime
) -> Ruling:
    if proposal.old == proposal.new:
        return refused(
            "the book says this limit already, and it fell by policy since: set another amount, or write the "
            "card into the school's file with a later date"
        )
    if not await store.proposals.insert(tx, proposal, now):
        return refused(f"a change of {proposal.name} waits already: approve or reject that first")
    return await _ruling(
        tx,
        proposal,
        asked,
        before,
        "once another person approves it: it rises by more than one person may allow",
    )


async def _apply(
    tx: Tx,
    proposal: Proposal,
    asked: OwnLimit,
    before: own_limits.InForce,
    decision: Decision,
    version: int,
    now: datetime,
) -> Ruling:
    changes = change_set(proposal, why=proposal.why, version=version, now=now)
    if refusal := await steps.versions.refusal_of(tx, changes, version=version):
        return refused(refusal.sentence)
    await steps.versions.apply_decided(tx, changes, str(proposal.id), dry_run=decision.dry_run)
    return await _ruling(tx, proposal, asked, before, f"from today on, {proposal.effective_from}")


async def _ruling(
    tx: Tx, proposal: Proposal, asked: OwnLimit, before: own_limits.InForce, when: str
) -> Ruling:
    """What is in force and what will be; the book's own settings beside it."""
    currency = (await store.book.currency(tx))[0] or ""
    later = await store.proposals.next_card(tx, proposal.kind, proposal.key, proposal.effective_from)
    until = f"; another card of the book is in force from {later}" if later else ""
    return Ruling(
        done=True,
        sentence=f"{proposal.key} {asked.in_words(currency)} {when}{until}",
        effects=tuple(_effects(asked.document(), before, currency)),
    )


def _effects(asked: Mapping[str, Any], before: own_limits.InForce, currency: str) -> list[dict[str, Any]]:
    was = {"limit": before.limit, "frozen": before.frozen, "until": None}
    return [
        {"setting": name, "before": was[name], "after": asked[name], "currency": currency}
        for name in SETTINGS
        if was[name] != asked[name] or name == "limit"
    ]


ACTIONS: Final = {"set_limit": Action(judge=set_limit, changes_tables=False)}
