"""One package per independent worker; none imports another."""
