"""Settings of reserves, beside every worker's."""

from datetime import time

from pydantic import Field

from fleet.settings import LiveSettings


class ReservesSettings(LiveSettings):
    """HOBBS_RESERVES_<NAME>, or HOBBS_<NAME> for all services."""

    match_every_s: float = Field(default=15.0, gt=0)
    # When the day before is compared with Stripe, in the school's time zone: rows are listed once an hour.
    reconciles_at: time = time(4, 0)
