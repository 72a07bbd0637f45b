"""Places where a process of billing can be made to die; see fleet/faults.py."""

POINTS = {
    "billing.bills_written": "bills are inserted, nothing is staged",
    "billing.revisions_written": "bills of corrections are inserted, nothing is staged",
    "billing.revisions_kept": "revisions before their turn are kept, the batch goes on",
    "billing.book_written": "a version of the book is applied, the batch goes on",
}
