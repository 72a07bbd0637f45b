"""Adjustments needs no setting of its own."""

from fleet.settings import LiveSettings


class AdjustmentsSettings(LiveSettings):
    """Settings of an adjustments worker."""
