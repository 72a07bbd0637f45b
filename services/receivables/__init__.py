"""The student's side: card payments, refunds and disputes, each posted to the ledger once."""
