"""One person: their wallets, what is held about them, and how their name and address are erased."""
