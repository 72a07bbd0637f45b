"""Receivables holds no secret: Stripe's key is the payouts service's alone."""

from pydantic import ValidationInfo, field_validator

from fleet.kafka_address import refused_brokers
from fleet.settings import Settings


class ReceivablesSettings(Settings):
    """`stripe_livemode`: whether this deployment is live, as the gateway has it; other events are refused."""

    stripe_livemode: bool = False

    @field_validator("stripe_livemode")
    @classmethod
    def _is_live_only_where_brokers_ask(cls, livemode: bool, told: ValidationInfo) -> bool:
        if livemode and (refused := refused_brokers(told.data)):
            raise ValueError(refused)
        return livemode
