"""Everything at once, from a seed: records, Stripe, webhooks, members, broker and database all misbehave."""
