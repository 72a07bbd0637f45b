"""The embedded stack: Postgres, Kafka and a Stripe simulator as child processes on loopback ports.

Needs the packages of the `local` extra; no service imports it.
"""
