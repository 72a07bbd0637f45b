"""What each revision of a flight changed, by which rates, who decided it, and how its money follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.adjustments.desk.reads.explanations import ExplainedAdjustment
from services.billing.desk.reads import BillToExplain
from services.ledger.desk.reads.journals import JournalDetails

FIRST_BILL: Final = "first bill"
NOT_PROPOSED: Final = "not proposed yet"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRevision:
    """One bill of a flight beside the one before it. Amounts are minor units; readings, hours tenths.

    state: of its adjustment, or FIRST_BILL. facts: what changed of them, before and after. rates: card
    versions that priced it and not the bill before. differences: against what stood in the ledger then.
    settlements: how each party's money follows.
    """

    revision: int
    kind: str
    state: str
    sentence: str
    charge: int
    student: str
    school_version: int
    priced_by: str | None
    made_by: str | None
    reason: str | None
    facts: Sequence[Row] = ()
    rates: Sequence[Row] = ()
    differences: Sequence[Row] = ()
    approvals: Sequence[Row] = ()
    steps: Sequence[Row] = ()
    settlements: Sequence[Row] = ()


def explain_revisions(
    bills: Sequence[BillToExplain], adjustments: Sequence[ExplainedAdjustment]
) -> list[ExplainedRevision]:
    """Put each bill of a flight, by revision, beside its adjustment."""
    by_revision = {one.revision: one for one in adjustments}
    befores = [None, *bills[:-1]]
    return [
        _explained(b, before, by_revision.get(b.revision)) for b, before in zip(bills, befores, strict=True)
    ]


def standing_revision(bills: Sequence[BillToExplain], adjustments: Sequence[ExplainedAdjustment]) -> int:
    """The revision that the ledger has: the newest that was posted, else the first bill."""
    return max([bills[0].revision, *(one.revision for one in adjustments if one.stands)])


def sources_of(bills: Sequence[BillToExplain], adjustments: Sequence[ExplainedAdjustment]) -> list[str]:
    """The sources of the journals that put a flight into the ledger."""
    flight = bills[0].flight_id
    posted = [f"adjustment:{flight}:{one.revision}" for one in adjustments if one.stands and one.differences]
    return [f"flight:{flight}:{bills[0].revision}", *posted]


def posted_by(journals: Sequence[JournalDetails]) -> dict[str, int]:
    """What journals put on each wallet together."""
    posted: dict[str, int] = {}
    for journal in journals:
        for entry in journal.entries:
            posted[entry.wallet] = posted.get(entry.wallet, 0) + entry.amount
    return posted


def _explained(
    bill: BillToExplain, before: BillToExplain | None, adjustment: ExplainedAdjustment | None
) -> ExplainedRevision:
    first = bill.corrects is None
    found = adjustment or _NOTHING
    return ExplainedRevision(
        revision=bill.revision,
        kind=bill.kind,
        state=FIRST_BILL if first else found.state,
        sentence="" if first else found.sentence,
        charge=bill.charge,
        student=bill.student,
        school_version=bill.school_version,
        priced_by=bill.priced_by,
        made_by=bill.made_by,
        reason=bill.reason,
        facts=[] if before is None else _changed_facts(before.facts, bill.facts),
        rates=[] if before is None else [rate for rate in bill.rates if rate not in before.rates],
        differences=found.differences,
        approvals=found.approvals,
        steps=found.steps,
        settlements=found.settlements,
    )


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Of a revision that adjustments has not heard of."""

    state: str = NOT_PROPOSED
    sentence: str = "billing priced it; adjustments has not heard of it yet"
    differences: Sequence[Row] = ()
    approvals: Sequence[Row] = ()
    steps: Sequence[Row] = ()
    settlements: Sequence[Row] = ()


_NOTHING: Final = _Nothing()


def _changed_facts(before: Row, after: Row) -> list[Row]:
    return [
        {"fact": name, "before": before.get(name), "after": after.get(name)}
        for name in {**before, **after}
        if name != "revision" and before.get(name) != after.get(name)
    ]
