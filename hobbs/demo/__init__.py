"""`hobbs demo`: flights, payments and transfers on a temporary fleet, step by step, then every check."""
