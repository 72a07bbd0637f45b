"""Receivables holds no secret: Stripe's key is the payouts service's alone."""

from fleet.settings import SettingsWithMode


class ReceivablesSettings(SettingsWithMode):
    """`stripe_livemode`: whether this deployment is live, as the gateway has it; other events are refused."""
