"""Charges, refunds, disputes, and the journals they ask for. Pure."""
