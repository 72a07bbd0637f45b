"""Settings of the ledger, beside every worker's."""

from pydantic import SecretStr, ValidationInfo, field_validator

from fleet.kafka_address import refused_brokers
from fleet.proofs import NAME, Keys, keys_of_publishers
from fleet.settings import Settings


class LedgerSettings(Settings):
    """`publishers_keys`: `<service>:<key>,…`, the `HOBBS_REQUEST_KEY` of each service that asks for journals.

    `stripe_livemode`: whether this deployment is live, as the gateway has it.
    """

    publishers_keys: SecretStr = SecretStr("")
    stripe_livemode: bool = False

    @field_validator("publishers_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr) -> SecretStr:
        keys_of_publishers(keys)
        return keys

    @field_validator("stripe_livemode")
    @classmethod
    def _is_live_only_where_requests_are_proved(cls, livemode: bool, told: ValidationInfo) -> bool:
        if livemode and (refused := refused_brokers(told.data)):
            raise ValueError(refused)
        if livemode and not keys_of_publishers(told.data.get("publishers_keys", SecretStr(""))):
            raise ValueError(
                f"a live ledger needs {NAME}: without it, whoever writes to journal.requested moves "
                "money under any service's name (docs/operations/secrets.md)"
            )
        return livemode

    @property
    def publishers(self) -> Keys:
        """The keys of each service that asks for journals, by its name."""
        return keys_of_publishers(self.publishers_keys)
