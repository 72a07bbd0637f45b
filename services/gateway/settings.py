"""What the gateway is told: its address, Stripe's webhook secrets, its limits."""

from typing import ClassVar

from pydantic import Field, SecretStr

from fleet.settings import SettingsWithMode


class GatewaySettings(SettingsWithMode):
    """Secrets are comma-separated, newest first, so that an endpoint's secret can be rotated without a gap.

    `stripe_livemode` says which of Stripe's two modes this deployment is of: a live one drops test-mode
    events, a test one refuses live events. An endpoint without a secret refuses everything.
    """

    reads_services: ClassVar[bool] = False
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8080, ge=0, le=65535)
    stripe_webhook_secrets: SecretStr = SecretStr("")
    stripe_connect_webhook_secrets: SecretStr = SecretStr("")
    webhook_bytes_max: int = Field(default=262_144, ge=1_024, le=400_000)
    webhook_tolerance_s: int = Field(default=300, ge=1, le=3_600)
    flights_bytes_max: int = Field(default=1_048_576, ge=1_024, le=8_388_608)
    flights_per_minute: int = Field(default=600, ge=1, le=60_000)
    credit_checks_per_minute: int = Field(default=12_000, ge=1, le=60_000)
    publish_timeout_s: float = Field(default=3.0, gt=0, le=8.0)


def secrets_of(setting: SecretStr) -> tuple[str, ...]:
    """Split a comma-separated setting; blanks are dropped."""
    return tuple(part for part in (piece.strip() for piece in setting.get_secret_value().split(",")) if part)
