"""Flights from a file: read, and published by Kafka or by the gateway."""
