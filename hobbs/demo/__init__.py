"""`hobbs demo`: the whole story on a throw-away fleet, step by step, and what it proves."""
