"""`hobbs doctor`: finds what is wrong with an installation and says the fix. It changes nothing."""
