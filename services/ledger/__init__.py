"""Double entry: wallets, journals, entries, balances."""
