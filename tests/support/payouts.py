"""The settings of a payouts service as it is installed: every default as an operator gets it."""

from pydantic import SecretStr

from services.payouts.settings import PayoutsSettings

SETTINGS = PayoutsSettings(
    database_url=SecretStr(""), kafka_bootstrap="127.0.0.1:1", stripe_secret_key=SecretStr("sk_test_nobody")
)
