"""The checker: what must be true at rest, found out from Postgres, the topics and Stripe's effects alone.

It shares no code with what it checks: nothing here imports `services`, `schemas` or `fleet` (a test holds it
to that). Its rules are those of docs/invariants.md, its prices those of services/billing/README.md.
"""
