"""Decides what becomes of a flight's revision: proposed against what stands, by the school's policy. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fleet.cause import Cause
from services.adjustments.domain import flights
from services.adjustments.domain.adjustments import (
    STANDING,
    UNDECIDED,
    Adjustment,
    Move,
    State,
    adjustment_id,
)
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.journals import PostedJournal
from services.adjustments.domain.policy import Judgement, Policy, judge

POLICY: Final = "policy"  # who approves what needs nobody
LEDGER: Final = "ledger"
RESTORED: Final = "the ledger had posted it before this database was restored"
NOTHING: Final = "nothing changes for anybody: there is nothing to post"
UNDER_WAY: Final = (
    "an earlier journal of this flight is under way; what stands is known when the ledger answers"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By what a revision is judged: the policy in force, the school's time zone, the time.

    recovered: flights of which payees bear what a dispute took, or are to.
    """

    policy: Policy
    zone: str
    now: datetime
    recovered: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a revision becomes no adjustment; the sentence is for people."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A new adjustment, who brought it to its state, and what it supersedes."""

    adjustment: Adjustment
    who: str
    superseded: tuple[Move, ...] = ()


def propose(
    revision: Revision,
    first: FirstBill,
    known: Sequence[Adjustment],
    posted: PostedJournal | None,
    terms: Terms,
    trace: Cause,
) -> Proposal | Refusal | None:
    """Decide about a revision of a flight; None when it is a repeat.

    known: the flight's adjustments by revision. posted: the ledger's journal of this revision, if any.
    """
    if (revision.first, revision.first.currency) != (first, first.currency):
        return Refusal(
            reason="first_bill_differs",
            sentence=f"flight {revision.flight_id}: its first bill was told otherwise before",
        )
    if same := next((one for one in known if one.revision == revision.revision), None):
        return None if _is_repeat(same, revision) else _differs(revision)
    new = _adjustment(revision, first, known, terms, trace)
    superseded = tuple(_supersede(one, revision) for one in known if _is_superseded(one, revision))
    if posted is not None:
        stands = replace(new, differences=posted.entries, state=State.POSTED, sentence=RESTORED)
        return Proposal(adjustment=_judged(stands, terms), who=LEDGER, superseded=superseded)
    if any(one.revision > revision.revision for one in known):
        late = replace(new, state=State.SUPERSEDED, sentence="a later revision was there before")
        return Proposal(adjustment=late, who=revision.made_by)
    if flights.under_way(known):
        return Proposal(
            adjustment=replace(new, sentence=UNDER_WAY), who=revision.made_by, superseded=superseded
        )
    to, who, sentence = outcome(new, terms)
    return Proposal(adjustment=replace(new, state=to, sentence=sentence), who=who, superseded=superseded)


def outcome(proposed: Adjustment, terms: Terms) -> tuple[State, str, str]:
    """Where a proposed adjustment goes whose differences are against what stands: state, who, sentence."""
    if not proposed.differences:
        return State.SETTLED, POLICY, NOTHING
    sentence = _judge(proposed, terms).sentence
    if proposed.approvals_needed:
        return State.WAITING, proposed.made_by, sentence
    return State.APPROVED, POLICY, sentence


def anew(proposed: Adjustment, first: FirstBill, known: Sequence[Adjustment], terms: Terms) -> Adjustment:
    """The same revision against what stands now, with what the policy asks for that."""
    stands = flights.standing(first, known)
    return _judged(
        replace(
            proposed,
            differences=flights.differences(proposed.entries, stands),
            paid_by=flights.paid_by(first, known),
            makers=_makers(proposed.made_by, proposed.makers, proposed.revision, known),
        ),
        terms,
    )


def superseded_by(proposed: Adjustment, known: Sequence[Adjustment]) -> list[Move]:
    """Failed and waiting revisions before this one: it covers them."""
    return [
        Move(
            adjustment=one,
            to=State.SUPERSEDED,
            who=proposed.made_by,
            why=f"revision {proposed.revision} takes its place",
        )
        for one in known
        if one.revision < proposed.revision and one.state in UNDECIDED
    ]


def _adjustment(
    revision: Revision, first: FirstBill, known: Sequence[Adjustment], terms: Terms, trace: Cause
) -> Adjustment:
    """The revision as it is proposed against what stands now; its hash is the database's to compute."""
    earlier = [one for one in known if one.revision < revision.revision]
    proposed = Adjustment(
        id=adjustment_id(revision.flight_id, revision.revision),
        flight_id=revision.flight_id,
        revision=revision.revision,
        kind=revision.kind,
        bill_id=revision.bill_id,
        currency=first.currency,
        entries=revision.entries,
        differences=flights.differences(revision.entries, flights.standing(first, known)),
        paid_by=flights.paid_by(first, known),
        student_before=revision.student_before,
        student=revision.student,
        flown_on=revision.flown_on,
        occurred_at=revision.occurred_at,
        priced_by=revision.priced_by,
        reason=revision.reason,
        made_by=revision.made_by,
        makers=_makers(revision.made_by, (), revision.revision, earlier),
        state=State.PROPOSED,
        sentence="",
        needs=(),
        approvals_needed=0,
        approve_above=0,
        second_approver_above=0,
        content_hash="",
        proposed_at=terms.now,
        expires_at=terms.now,
        trace=trace,
    )
    return _judged(proposed, terms)


def _makers(
    made_by: str, so_far: Sequence[str], revision: int, known: Sequence[Adjustment]
) -> tuple[str, ...]:
    """Whoever made this revision, or one that never came to stand and is covered by it."""
    stood = max((one.revision for one in known if one.state in STANDING), default=0)
    covered = [
        maker
        for one in known
        if stood < one.revision < revision and one.state not in STANDING
        for maker in one.makers
    ]
    return tuple(sorted({made_by, *so_far, *covered}))


def _judge(adjustment: Adjustment, terms: Terms) -> Judgement:
    return judge(
        adjustment.differences,
        currency=adjustment.currency,
        flown_on=adjustment.flown_on,
        student_changed=_changes_student(adjustment),
        recovered=adjustment.kind == "recovered",
        by_hand=adjustment.kind == "manual",
        recovered_flight=adjustment.kind != "recovered" and adjustment.flight_id in terms.recovered,
        policy=terms.policy,
        now=terms.now,
        zone=terms.zone,
    )


def _changes_student(adjustment: Adjustment) -> bool:
    """Whether money goes from one student to another, or would: also back to the first bill's student."""
    students = [wallet for wallet in adjustment.differences if wallet.startswith("student:")]
    return adjustment.student != adjustment.student_before or len(students) > 1


def _judged(adjustment: Adjustment, terms: Terms) -> Adjustment:
    """The adjustment with what the policy asks for its differences."""
    judgement = _judge(adjustment, terms)
    return replace(
        adjustment,
        needs=tuple(str(need) for need in judgement.needs),
        approvals_needed=judgement.approvals_needed,
        approve_above=judgement.approve_above,
        second_approver_above=judgement.second_approver_above,
        expires_at=judgement.expires_at,
    )


def _is_superseded(one: Adjustment, revision: Revision) -> bool:
    return one.revision < revision.revision and one.state in UNDECIDED


def _supersede(one: Adjustment, revision: Revision) -> Move:
    why = f"revision {revision.revision} takes its place"
    return Move(adjustment=one, to=State.SUPERSEDED, who=revision.made_by, why=why)


def _is_repeat(same: Adjustment, revision: Revision) -> bool:
    return (same.bill_id, same.kind, dict(same.entries), same.made_by) == (
        revision.bill_id,
        revision.kind,
        dict(revision.entries),
        revision.made_by,
    )


def _differs(revision: Revision) -> Refusal:
    return Refusal(
        reason="revision_differs",
        sentence=f"revision {revision.name} was told with other content before; send the next one instead",
    )
