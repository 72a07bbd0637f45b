"""The rules of the books: wallets, journals, holds, monitors, the chain. Pure."""
