"""What people decide about rates: one proposes other amounts for a card, and another approves or rejects.

An approved proposal is a version of the book like any other: it is applied here, told as `school.accepted`,
and published as `school.configured`, from which the book is made anew. This service's inbox knows that event
from the same transaction on, so it is never applied twice.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from fleet import inbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.persons import same_person
from schemas.school import CARDS, amounts_of
from services.billing import steps, store
from services.billing.domain import proposals
from services.billing.domain.card_documents import read_card
from services.billing.domain.proposals import KINDS, Proposal, ProposalState
from services.billing.domain.versions import CardChange, ChangeSet, card_problems, judge_change_set


async def propose(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Propose other amounts for a card; nothing is priced by them before somebody else approves.

    object: "<kind>/<key>". parameters: `effective_from`, a day; `amounts`, minor units by setting.
    """
    kind, _, key = decision.object.partition("/")
    day, amounts = _day(decision.parameters.get("effective_from")), decision.parameters.get("amounts")
    if kind not in KINDS or not key:
        return refused(f"name a card, such as aircraft/N364MA; the kinds are {', '.join(KINDS)}")
    if day is None or not isinstance(amounts, dict) or not amounts:
        return refused("say from which day on (effective_from), and which amounts")
    if not decision.why.strip():
        return refused("say why: the reason stays in the book's history")
    old = await store.proposals.standing(tx, kind, key, day)
    if objection := proposals.objection_to_proposing(old, amounts, amounts_of(kind)):
        return refused(objection)
    proposal = Proposal(
        id=decision.decision_id,
        kind=kind,
        key=key,
        effective_from=day,
        old=old or {},
        new={**(old or {}), **amounts},
        proposed_by=decision.who.name,
        why=decision.why,
    )
    if problem := problem_of(proposal):
        return refused(f"the book would not take this: {problem}")
    if not await store.proposals.insert(tx, proposal, now):
        return refused(f"a change of {proposal.name} waits already: approve or reject that first")
    return await _ruling(tx, proposal, "another person has to approve it")


async def approve(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Approve a proposal that somebody else made: the book gets a version. object: the proposal's id."""
    version = await store.book.lock(tx)
    proposal = await _locked(tx, decision.object)
    if proposal is None:
        return refused(f"there is no proposal {decision.object}")
    standing = await store.proposals.standing(tx, proposal.kind, proposal.key, proposal.effective_from)
    by_its_maker = same_person(proposal.proposed_by, decision.who.name)
    if objection := proposals.objection_to_approving(proposal, by_its_maker=by_its_maker, standing=standing):
        return refused(f"{proposal.name}: {objection}")
    approved = f"approved by {decision.who.name}{': ' + decision.why if decision.why else ''}"
    changes = change_set(proposal, why=f"{proposal.why} ({approved})", version=version, now=now)
    currency, has_bills = await store.book.currency(tx)
    if refusal := judge_change_set(changes, version=version, currency=currency, has_bills=has_bills):
        return refused(refusal.sentence)
    await steps.versions.apply_decided(tx, changes, str(proposal.id), dry_run=decision.dry_run)
    await store.proposals.decide(
        tx,
        proposal.id,
        ProposalState.APPROVED,
        who=decision.who.name,
        why=decision.why,
        now=now,
        version=changes.version,
    )
    return await _ruling(tx, proposal, f"it is in force as version {changes.version} of the book")


async def reject(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Reject a proposal, or take one's own back: nothing is priced by it. object: the proposal's id."""
    proposal = await _locked(tx, decision.object)
    if proposal is None:
        return refused(f"there is no proposal {decision.object}")
    if proposal.state is not ProposalState.WAITING:
        return refused(f"{proposal.name}: it is {proposal.state} already")
    if not decision.why.strip():
        return refused("say why: the reason stays with the proposal")
    who, why = decision.who.name, decision.why
    await store.proposals.decide(tx, proposal.id, ProposalState.REJECTED, who=who, why=why, now=now)
    return Ruling(done=True, sentence=f"{proposal.name}: it is rejected, and the book stays as it is")


async def _locked(tx: Tx, named: str) -> Proposal | None:
    try:
        return await store.proposals.lock(tx, UUID(named))
    except ValueError:
        return None


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None


def problem_of(proposal: Proposal) -> str | None:
    """What is wrong with the card as it would be."""
    try:
        CARDS[proposal.kind].model_validate(dict(proposal.new))  # type: ignore[index]  # one of PROPOSED
    except ValidationError as error:
        return inbox.describe(error)
    return "; ".join(card_problems(read_card(proposal.kind, proposal.new))) or None


def change_set(proposal: Proposal, *, why: str, version: int, now: datetime) -> ChangeSet:
    """The version of the book that has the proposal's card, after this one."""
    change = CardChange(
        kind=proposal.kind,
        key=proposal.key,
        effective_from=proposal.effective_from,
        document=proposal.new,
        card=read_card(proposal.kind, proposal.new),
    )
    return ChangeSet(
        version=version + 1,
        base_version=version,
        who=proposal.proposed_by,
        why=why,
        at=now.replace(microsecond=0),
        changes=(change,),
    )


async def _ruling(tx: Tx, proposal: Proposal, what: str) -> Ruling:
    """Both sides of each amount; and what limits the change, said with it."""
    later = await store.proposals.next_card(tx, proposal.kind, proposal.key, proposal.effective_from)
    until = f", until another card is in force from {later}" if later else ""
    currency, _ = await store.book.currency(tx)
    return Ruling(
        done=True,
        sentence=f"{proposal.name}{until}: {what}; flights that are billed stay as they are",
        effects=tuple(change | {"currency": currency} for change in proposal.changes()),
    )


ACTIONS: Final = {
    # Proposals are taken over by a rebuild, as they are; the book itself is in `school.configured`.
    "propose_rates": Action(judge=propose, changes_tables=False),
    "approve_rates": Action(judge=approve, changes_tables=False),
    "reject_rates": Action(judge=reject, changes_tables=False),
}
