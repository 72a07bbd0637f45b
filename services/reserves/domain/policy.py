"""The school's policy on its reserve. Pure; amounts are minor units."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A card of kind `reserve`, see schemas/school.py."""

    minimum: int = 0
    minimum_payout_days: int = 0
    payout_days_measured: int = 28
    minimum_share_ppm: int = 0
    warning_percent: int = 150
    reopen_percent: int = 110
    count_student_deposits: bool = True
    count_tax: bool = True
    count_aircraft_reserves: bool = True
    stale_after_minutes: int = 15
    when_stale: str = "closed"
    exempt_below: int = 0
    exempt_wallets: tuple[str, ...] = ()
    opened_by_one_up_to: int = 0
    accepted_by_one_up_to: int = 0
    drift_alert_above: int = 1_000
    timing_days: int = 3

    @property
    def stale_after(self) -> timedelta:
        return timedelta(minutes=self.stale_after_minutes)
