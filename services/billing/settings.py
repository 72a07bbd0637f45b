"""Billing needs no setting of its own: what it prices by is the school's book, in its tables."""

from fleet.settings import LiveSettings


class BillingSettings(LiveSettings):
    """Settings of a billing worker."""
