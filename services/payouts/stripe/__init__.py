"""The only room that reaches Stripe: its client, the pace of calls, the relay, and what is read again."""
