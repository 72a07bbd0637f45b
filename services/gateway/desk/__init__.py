"""What people may ask of the gateway and decide about it: API keys."""
