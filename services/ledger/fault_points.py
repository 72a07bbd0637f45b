"""Points at which a test can kill a process of the ledger; see fleet/faults.py."""

POINTS = {
    "ledger.balances_locked": "the wallets of a flush are locked",
    "ledger.journals_written": "journals and entries are inserted, no reply is staged",
}
