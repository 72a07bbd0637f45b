"""What the gateway decides: keys, repeats, signatures. Pure."""
