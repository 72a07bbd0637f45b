"""Real workers killed at every named place, on a real Postgres and Kafka and a Stripe that keeps count."""
