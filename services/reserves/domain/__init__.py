"""Rules and values of reserves. Pure."""
