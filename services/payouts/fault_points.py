"""Places where a test can end a process of payouts; see fleet/faults.py."""

POINTS = {
    "payouts.transfers_written": "transfers are inserted, no operation is",
    "payouts.operations_written": "operations are inserted, no notification is staged",
    "payouts.retried": "refused operations are due again, not committed",
    "payouts.debt_claimed": "a debt is kept out of what is deducted, its request is not committed",
    "payouts.reversals_ordered": "reversals are inserted for a request, not committed",
    "payouts.reversal_settled": "a request is answered, what did not come back is not deducted yet",
    "payouts.charges_ordered": "charges are inserted for their requests, not committed",
    "payouts.charge_answered": "requests to charge are answered, not committed",
    "payouts.refunds_ordered": "refunds are inserted for a request, not committed",
    "payouts.refund_settled": "a request to refund is answered, not committed",
    "payouts.contacts_kept": "what people are called is written, not committed",
    "payouts.webhooks_heeded": "what follows from webhooks is written",
    "relay.claimed": "operations are leased, nothing is sent",
    "relay.before_send": "about to call Stripe",
    "relay.looking_up": "about to look an operation up by its metadata",
    "relay.answered": "Stripe answered, nothing is recorded",
    "relay.mid_record": "operations are updated, their effects are not",
    "relay.recorded": "everything is recorded, and the relay still holds the answers",
    "inquiry.claimed": "rereads are leased, nothing is read",
    "inquiry.answered": "an object was read again, nothing is written",
    "events.listed": "a page of Stripe's events was read, nothing of it is noted",
    "movements.listed": "a page of Stripe's balance transactions was read, nothing of it is noted",
    "movements.noted": "rows of the balance and their journals are written, not committed",
    "adoption.listed": "what Stripe made and is not known here is kept, nothing is sent yet",
    "adoption.adopted": "what Stripe made before a restore is written, not committed",
    "payouts.let_out": "transfers are let out or held for the reserve, not committed",
    "balance.read": "the balance was read for the reserve, nothing is noted",
    "balance.noted": "a reading of the balance is noted and staged, not committed",
    "treasury.looked": "the balance was read, nothing is released",
}

# The same places for one kind of operation, or of reread.
OF_KIND = {
    "relay.before_send": ("account", "transfer", "instant_payout", "reversal", "refund", "charge"),
    "relay.answered": ("account", "transfer", "instant_payout", "reversal", "refund", "charge"),
    "relay.mid_record": ("account", "transfer", "instant_payout", "reversal", "refund", "charge"),
    "relay.looking_up": ("account", "transfer", "instant_payout", "reversal", "refund", "charge"),
    "inquiry.answered": ("account", "charge_fee", "payout_fee"),
}
