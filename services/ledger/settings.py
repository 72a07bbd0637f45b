"""The ledger needs no setting of its own."""

from fleet.settings import LiveSettings


class LedgerSettings(LiveSettings):
    """Settings of a ledger's worker."""
