"""Watches what the school has at Stripe against what it owes, and compares the books with Stripe by line."""
