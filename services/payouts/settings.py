"""Settings of the payouts service: the only one that is given Stripe's secret key."""

from datetime import time, timedelta
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from fleet import stripe_keys
from fleet.settings import Settings, SettingsWithKeys, refused_live
from fleet.stripe_limits import LIMITS, StripeLimits, mode_of
from services.payouts.domain.accounts import AccountPolicy, AccountsApi
from services.payouts.domain.outcomes import RetryPolicy
from services.payouts.domain.reading import Backoff, PutOff, ReadSchedule, Rechecks, Starts, Wait


class ShadowSettings(Settings):
    """Of a shadow's payouts (deciding.py), which has no key."""

    period_closes_at: time = time(2, 0)


class PayoutsSettings(SettingsWithKeys):
    """`HOBBS_STRIPE_*`: where Stripe is, and how fast it is called. Names in `_s` are seconds."""

    stripe_secret_key: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    stripe_timeout_s: float = Field(default=12.0, gt=0, le=120)
    # What Stripe allows is in fleet/stripe_limits.py; `auto`: by the key's prefix.
    stripe_limits: Literal["auto", "live", "sandbox"] = "auto"
    stripe_calls_per_s: float | None = Field(default=None, gt=0, le=10_000)  # in all, when Stripe granted it
    stripe_endpoint_calls_per_s: float | None = Field(default=None, gt=0, le=10_000)  # of each endpoint
    stripe_reads_per_s: float = Field(default=20.0, gt=0, le=1000)  # reads among these calls
    stripe_processes: int = Field(default=1, ge=1, le=100)  # that share the key: each gets its part
    stripe_concurrency: int = Field(default=96, ge=1, le=500)
    stripe_onboarding_return_url: str = "https://example.com/onboarded"
    stripe_onboarding_refresh_url: str = "https://example.com/onboarding"
    stripe_checkout_return_url: str = "https://example.com/thank-you"

    # How payees' accounts are made (decision 0190). The country is the platform's own, as at Stripe.
    stripe_accounts: AccountsApi = AccountsApi.V2
    stripe_country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    stripe_recipient_alone: bool = False

    # Minor units that one person alone may have sent to a payee in a day (desk/forced.py); None: any amount.
    forced_by_one_up_to: int | None = Field(default=None, ge=0)
    # Whether two persons say whose account a payee's money goes to (desk/by_two.py).
    accounts_by_two: bool = False
    lease_s: float = Field(default=30.0, gt=0, le=600)
    # An account is read in four calls; after the lease it is read again.
    inquiry_lease_s: float = Field(default=60.0, gt=0, le=600)
    backoff_first_s: float = Field(default=1.0, gt=0)
    backoff_max_s: float = Field(default=30.0, gt=0)
    lookup_gap_s: float = Field(default=10.0, gt=0)
    stopped_probe_s: float = Field(default=15.0, gt=0)
    stopped_probe_max_s: float = Field(default=3_600.0, gt=0)
    # Waits before something is read without a webhook grow from the first to the second (decision 0193).
    balance_poll_s: float = Field(default=5.0, gt=0)
    balance_poll_max_s: float = Field(default=3_600.0, gt=0)
    # While the school keeps a reserve: between two readings when nothing moves, and two because it moved.
    reserve_poll_s: float = Field(default=600.0, gt=0)
    reserve_readings_apart_s: float = Field(default=10.0, ge=0)
    unready_recheck_s: float = Field(default=30.0, gt=0)
    unready_recheck_max_s: float = Field(default=86_400.0, gt=0)
    unsettled_recheck_s: float = Field(default=600.0, gt=0)
    unsettled_recheck_max_s: float = Field(default=21_600.0, gt=0)
    ready_recheck_s: float = Field(default=86_400.0, gt=0)
    put_off_s: float = Field(default=1.0, gt=0)
    put_off_max_s: float = Field(default=86_400.0, gt=0)
    odd_recheck_s: float = Field(default=3_600.0, gt=0)
    rereads_end_days: float = Field(default=30.0, gt=0)
    events_poll_s: float = Field(default=300.0, gt=0)
    events_poll_max_s: float = Field(default=1_800.0, gt=0)
    events_grace_s: float = Field(default=300.0, ge=0)
    events_overlap_s: float = Field(default=1_800.0, ge=0)
    # One list call an hour is 720 a month.
    movements_poll_s: float = Field(default=3_600.0, gt=0)
    movements_overlap_s: float = Field(default=21_600.0, ge=0)
    movements_grace_s: float = Field(default=86_400.0, ge=0)
    # Each start of a process lists what Stripe made: so many at once, then one more each so many seconds.
    starts_at_once: int = Field(default=20, ge=1)
    start_each_s: float = Field(default=1_800.0, gt=0)

    period_closes_at: time = time(2, 0)
    instant_fee_basis_points: int = Field(default=100, ge=0, le=10_000)
    instant_fee_minimum: int = Field(default=50, ge=0)

    @field_validator("stripe_secret_key")
    @classmethod
    def _is_a_secret_key(cls, key: SecretStr, told: ValidationInfo) -> SecretStr:
        livemode = stripe_keys.livemode_of(key.get_secret_value())
        if livemode is None:
            raise ValueError("a secret key begins with sk_test_, rk_test_, sk_live_ or rk_live_")
        if livemode and (refused := refused_live(told.data)):
            raise ValueError(refused)
        return key

    @field_validator("stripe_api_base")
    @classmethod
    def _is_an_address_for_the_key(cls, address: str, told: ValidationInfo) -> str:
        key = told.data.get("stripe_secret_key", SecretStr(""))
        livemode = stripe_keys.livemode_of(key.get_secret_value()) or False
        if refused := stripe_keys.refused_address(address, livemode=livemode):
            raise ValueError(refused)
        return address.rstrip("/")

    @property
    def livemode(self) -> bool:
        """The mode of this deployment, which the key says."""
        return stripe_keys.livemode_of(self.stripe_secret_key.get_secret_value()) or False

    @property
    def accounts(self) -> AccountPolicy:
        return AccountPolicy(
            api=self.stripe_accounts,
            country=self.stripe_country,
            recipient_alone=self.stripe_recipient_alone,
        )

    @property
    def limits(self) -> StripeLimits:
        """Calls a second of this process."""
        key = self.stripe_secret_key.get_secret_value()
        mode = mode_of(key) if self.stripe_limits == "auto" else self.stripe_limits
        granted = LIMITS[mode].raised(self.stripe_calls_per_s, self.stripe_endpoint_calls_per_s)
        return granted.divided(self.stripe_processes)

    @property
    def schedule(self) -> ReadSchedule:
        """When Stripe is read without a webhook."""
        return ReadSchedule(
            rechecks=Rechecks(
                unready=_wait(self.unready_recheck_s, self.unready_recheck_max_s),
                unsettled=_wait(self.unsettled_recheck_s, self.unsettled_recheck_max_s),
                ready=timedelta(seconds=self.ready_recheck_s),
            ),
            balance=_wait(self.balance_poll_s, self.balance_poll_max_s),
            events=_wait(self.events_poll_s, self.events_poll_max_s),
        )

    @property
    def reserve_readings(self) -> Wait:
        """When the balance is read for the reserve: after Stripe did not answer, and while nothing moves."""
        return _wait(self.balance_poll_s, self.reserve_poll_s)

    @property
    def put_off(self) -> PutOff:
        """When what could not be read is tried again."""
        most, ends = timedelta(seconds=self.put_off_max_s), timedelta(days=self.rereads_end_days)
        return PutOff(
            unread=Backoff(first=timedelta(seconds=self.put_off_s), most=most, ends_after=ends),
            odd=Backoff(first=timedelta(seconds=self.odd_recheck_s), most=most, ends_after=ends),
        )

    @property
    def starts(self) -> Starts:
        return Starts(at_once=self.starts_at_once, each=timedelta(seconds=self.start_each_s))

    @property
    def stopped_probe(self) -> Wait:
        """When a key that Stripe refuses is tried again."""
        return _wait(self.stopped_probe_s, self.stopped_probe_max_s)

    @property
    def policy(self) -> RetryPolicy:
        return RetryPolicy(
            backoff_first=timedelta(seconds=self.backoff_first_s),
            backoff_max=timedelta(seconds=self.backoff_max_s),
            lookup_gap=timedelta(seconds=self.lookup_gap_s),
        )


def _wait(first_s: float, most_s: float) -> Wait:
    """A wait that grows; the longest is not shorter than the first."""
    return Wait(first=timedelta(seconds=first_s), most=timedelta(seconds=max(first_s, most_s)))
