"""Applies all faults at once, from a seed: to records, Stripe, webhooks, workers, broker and database."""
