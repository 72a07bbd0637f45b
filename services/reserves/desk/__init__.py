"""What people may ask and decide about the school's money at Stripe."""
