"""A stateful Stripe for one machine: the part of Stripe's v1 API that Hobbs uses.

A separate process (`python -m hobbs.local.stripe_sim`) that the real `stripe` library talks to. It keeps
accounts, money and idempotency in SQLite, signs and retries webhooks, and breaks on demand.
It knows nothing of Hobbs but one metadata key, `hobbs_operation_id`, which it copies to its effect table.
"""
