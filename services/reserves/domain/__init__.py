"""Rules of the reserve and of the comparison with Stripe. Pure."""
