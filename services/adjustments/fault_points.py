"""Places where a process of adjustments can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {
    "adjustments.proposed": "adjustments are inserted, what they supersede stands and nothing is staged",
    "adjustments.posted": "the ledger's journals are kept, nothing of them is settled",
    "adjustments.refused": "adjustments have failed, nobody is told and what waited for them is not decided",
    "adjustments.approved": "an approval is written, the adjustment is not moved",
    "adjustments.expired": "adjustments have expired, nobody is told",
    "adjustments.settlements_begun": "settlements are inserted and asked for, nobody is told",
    "adjustments.settlements_answered": "settlements have their answers, nobody is told",
    "adjustments.settlement_chosen": "a person's settlement is written and asked for, nobody is told",
    "adjustments.settlements_reminded": "finance is told of what is late, old windows are there",
}
