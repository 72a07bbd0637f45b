"""`hobbs doctor`: finds faults of an installation and says how to mend each. It changes nothing."""
