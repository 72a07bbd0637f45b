"""What people may ask about the reserve and the comparison with Stripe, and decide."""
