"""Places where a process of receivables can be made to die; see fleet/faults.py."""

POINTS = {
    "receivables.dispatches_written": "dispatches are decided, neither the ledger nor the scheduler is told",
    "receivables.charges_decided": "charges of saved methods are decided, payouts is not asked",
    "receivables.charge_answered": "what became of charges is written, nothing is staged",
    "receivables.levels_written": "crossings of limits are written, nobody is told",
    "receivables.limits_written": "changes of limits are written, nothing is committed",
    "receivables.dunning_written": "steps of dunning are written, nobody is asked",
    "receivables.items_written": "open items are kept, nothing is committed",
    "receivables.charges_written": "charges are updated, no journal is asked for",
    "receivables.postings_written": "journals are decided, nothing is staged",
}
