"""HTTP in: Stripe's webhooks, verified and attested, and flights from schedulers without Kafka."""
