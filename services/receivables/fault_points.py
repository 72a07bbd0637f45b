"""Places where a process of receivables can be made to die; see fleet/faults.py."""

POINTS = {
    "receivables.dispatches_written": "dispatches are decided, neither the ledger nor the scheduler is told",
    "receivables.charges_written": "charges are updated, no journal is asked for",
    "receivables.postings_written": "journals are decided, nothing is staged",
}
