-- The approval queue and the forecast ask what payees were paid in the last weeks: adjustments/desk/reads/recoveries.py.
CREATE INDEX transfer_sent_to_a_wallet ON transfer (wallet, sent_at) INCLUDE (currency, amount, amount_reversed)
    WHERE sent_at IS NOT NULL;
