"""The checker: rules for a deployment at rest, checked from Postgres, the topics and Stripe's effects only.

It shares no code with what it checks: nothing here imports `services`, `schemas`, `fleet` or `hobbs` (a test
enforces that). Its rules are those of docs/invariants.md, its prices those of services/billing/README.md.
"""
