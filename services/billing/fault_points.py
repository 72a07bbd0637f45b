"""Places where a process of billing can be made to die; see fleet/faults.py."""

POINTS = {
    "billing.bills_written": "bills are inserted, nothing is staged",
    "billing.book_written": "a version of the book is applied, the batch goes on",
}
