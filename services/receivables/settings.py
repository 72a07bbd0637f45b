"""Receivables holds no secret: Stripe's key is the payouts service's alone."""

from fleet.settings import Settings


class ReceivablesSettings(Settings):
    """Settings of a receivables worker."""
