"""What people may ask of payouts and decide about it."""
