"""A simulator with state of the part of Stripe's v1 API that Hobbs uses.

A separate process (`python -m hobbs.local.stripe_sim`) that the real `stripe` library talks to. It keeps
accounts, money and idempotency keys in SQLite, signs and retries webhooks, and injects faults on demand.
Of Hobbs it knows only the metadata key `hobbs_operation_id`, which it copies to its effect table.
"""
