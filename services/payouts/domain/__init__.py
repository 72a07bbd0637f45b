"""Rules and values of payouts: who is paid what and when, and what Stripe's answers mean. Pure."""
