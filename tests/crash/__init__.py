"""Kills real workers at every fault point, with real Postgres and Kafka and the Stripe simulator."""
