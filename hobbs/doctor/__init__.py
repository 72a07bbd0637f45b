"""`hobbs doctor`: finds faults of an installation and the fix of each. It changes nothing."""
