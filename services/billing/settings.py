"""Billing needs no setting of its own: what it prices by is the school's book, in its tables."""

from fleet.settings import Settings


class BillingSettings(Settings):
    """Settings of a billing worker."""
