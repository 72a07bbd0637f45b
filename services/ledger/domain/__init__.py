"""The rules of the books: journals, balances, currencies. Pure."""
