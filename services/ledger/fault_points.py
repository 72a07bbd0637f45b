"""Places where a process of the ledger can be made to die; see fleet/faults.py."""

POINTS = {
    "ledger.balances_locked": "the wallets of a flush are locked",
    "ledger.journals_written": "journals and entries are inserted, nobody is answered",
}
