"""The embedded stack: Postgres, Kafka and a Stripe simulator as child processes on loopback ports.

Needs the packages of the `local` extra; nothing a service imports lives here.
"""
