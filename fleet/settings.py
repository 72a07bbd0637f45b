"""Settings from the environment: `HOBBS_X`, or `HOBBS_X_FILE` naming a file whose first line is the value.

Secrets are `SecretStr`, so neither a log line nor a traceback shows them; validation errors hide their input.
Where several services share a process, `HOBBS_<SERVICE>_X` is one service's own and wins over `HOBBS_X`; a
secret is nobody's but its owner's, so it is read by the service's name only.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from fleet import attestation_keys, proofs
from fleet.attestation_keys import refused_keys
from fleet.database_url import VERIFIED, is_local, mode, read_url, with_mode
from fleet.hosts import is_this_machine, named_hosts
from fleet.kafka_address import refused_brokers

PREFIX = "HOBBS_"
SHARED_SECRETS = frozenset({"kafka_password"})  # of the brokers' user, which may be one for all services

_reader: ContextVar[str | None] = ContextVar("reader", default=None)


class WrongSettings(Exception):
    """What a service of several needs to know is missing or refused; `error` says which."""

    def __init__(self, service: str, error: ValidationError) -> None:
        super().__init__(f"settings of {service}")
        self.service = service
        self.error = error


@contextmanager
def read_by(service: str) -> Iterator[None]:
    """Read settings, in this block, as this service of several in the process. Raises WrongSettings."""
    token = _reader.set(service)
    try:
        yield
    except ValidationError as error:
        raise WrongSettings(service, error) from None
    finally:
        _reader.reset(token)


def own_prefix(service: str) -> str:
    """How the variables of one service begin where several share the environment."""
    return f"{PREFIX}{service.upper()}_"


class ProcessSettings(BaseSettings):
    """What a process needs to know, whatever runs in it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    ops_host: str = "127.0.0.1"
    ops_port: int = Field(default=0, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        service, files = _reader.get(), _EnvironmentFiles(settings_cls, PREFIX)
        if service is None:
            return init_settings, files, env_settings
        own = own_prefix(service)
        return (
            init_settings,
            _EnvironmentFiles(settings_cls, own),
            EnvSettingsSource(settings_cls, env_prefix=own),
            _OfEverybody(settings_cls, files),
            _OfEverybody(settings_cls, env_settings),
        )


class Settings(ProcessSettings):
    """What every worker needs to know; a service adds its own fields in a subclass."""

    # Hosts to which nobody else is on the way, such as compose's own network: comma-separated, exact names.
    database_private_hosts: str = ""
    database_url: SecretStr
    database_role: str | None = None  # that the login is a member of, and acts as: of a person's commands
    kafka_bootstrap: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    # Of OAUTHBEARER: who gives tokens to the user (client id) and password (client secret), and for what.
    kafka_token_url: str = Field(default="", validate_default=True)
    kafka_token_scope: str = ""
    kafka_ca_file: FilePath | None = None
    # Who this is to brokers that ask for a certificate (SSL, SASL_SSL): certificate and chain, and its key.
    kafka_certificate_file: FilePath | None = None
    kafka_key_file: FilePath | None = None
    # Brokers that ask nobody who they are, and to which a live deployment may go all the same: as above.
    kafka_private_hosts: str = ""
    topic_prefix: str = ""
    # Proves that what it publishes is this service's (proofs.py): the first of several, with commas, does.
    publisher_key: SecretStr = SecretStr("")
    # `<service>/<topic>:<key>,…`: whom it believes; empty: everybody.
    publishers_keys: SecretStr = SecretStr("")
    # How long a killed worker keeps its partitions; a batch may keep the event loop for about a second.
    kafka_session_timeout_s: float = Field(default=15.0, ge=1, le=300)
    # How long a timer's job is left to a process that may be dead; a job that takes longer may run twice.
    timer_lease_s: float = Field(default=300.0, ge=1, le=86_400)
    # How often one process of the service asks the service's invariants.
    check_every_s: float = Field(default=3_600.0, ge=1, le=86_400)
    # How long rows of the outbox are kept that Kafka has; no longer than the topic of addresses keeps them.
    outbox_kept_days: int = Field(default=7, ge=0, le=7)
    database_pool_size: int = Field(default=5, ge=1, le=50)

    @field_validator("database_url")
    @classmethod
    def _is_a_url_whose_way_is_trusted(cls, given: SecretStr, info: ValidationInfo) -> SecretStr:
        if not given.get_secret_value():  # whoever needs Kafka only says so
            return given
        url = read_url(given.get_secret_value())
        private = named_hosts(info.data.get("database_private_hosts", ""))
        if url.host in private:
            return given if "sslmode" in url.query else SecretStr(with_mode(url, "prefer"))
        if not is_local(url) and mode(url) not in VERIFIED:
            raise ValueError(
                f"sslmode={mode(url)} verifies nobody, and {url.host} is not this machine: use verify-full, "
                f"with sslrootcert=FILE for a CA of your own; or name {url.host} in "
                f"{PREFIX}DATABASE_PRIVATE_HOSTS when nobody else is on the network to it"
            )
        return given

    @field_validator("publisher_key")
    @classmethod
    def _is_strong_or_none(cls, key: SecretStr) -> SecretStr:
        if given := proofs.key_of(key):
            proofs.strong(given.decode(), "it")
        return key

    @field_validator("publishers_keys")
    @classmethod
    def _are_keys_of_topics(cls, keys: SecretStr) -> SecretStr:
        proofs.keys_of_publishers(keys)
        return keys

    @field_validator("kafka_token_url")
    @classmethod
    def _is_where_tokens_are(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("kafka_sasl_mechanism") != "OAUTHBEARER":
            return url
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
            raise ValueError("OAUTHBEARER needs the https:// address that gives tokens to its client")
        return url

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_a_list_of_addresses(cls, bootstrap: str) -> str:
        for address in bootstrap.split(","):
            host, colon, port = address.strip().rpartition(":")
            if colon and not host.endswith(":") and not _is_port(port):
                raise ValueError("it is not a list of addresses such as kafka-1:9092,kafka-2:9092")
        return bootstrap


class _EnvironmentFiles(PydanticBaseSettingsSource):
    """Reads `HOBBS_X_FILE`: orchestrators mount secrets as files, and files leak into no child process."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str) -> None:
        super().__init__(settings_cls)
        self._prefix = prefix

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return _from_file(f"{self._prefix}{field_name.upper()}"), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(f, name)[0] for name, f in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class _OfEverybody(PydanticBaseSettingsSource):
    """What another source says without the secrets, which belong to one service each."""

    def __init__(self, settings_cls: type[BaseSettings], everything: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._everything = everything

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._everything.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {
            name: value
            for name, value in self._everything().items()
            if name in SHARED_SECRETS or not _is_secret(fields.get(name))
        }


def from_environment(name: str) -> str | None:
    """A variable's value, or the first line of the file that NAME_FILE names. Raises ValueError: empty."""
    return os.environ.get(name) or _from_file(name)


def _from_file(name: str) -> str | None:
    path = os.environ.get(f"{name}_FILE")
    return _first_line(Path(path)) if path else None


def _is_secret(field: FieldInfo | None) -> bool:
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].strip():
        raise ValueError(f"{path} is empty; it should hold the setting on its first line")
    return lines[0].strip()


def refused_live(told: Mapping[str, Any], *, reads: bool = True) -> str | None:
    """Why a live deployment does not start with these settings: it would believe whoever writes to Kafka.

    reads: whether the service acts on what another one says.
    """
    attested = attestation_keys.missing_keys(told) if "attestation_keys" in told else None
    return refused_brokers(told) or attested or proofs.missing_keys(told, reads=reads)


def _refuse_live(livemode: bool, told: ValidationInfo, *, reads: bool) -> bool:
    if livemode and (refused := refused_live(told.data, reads=reads)):
        raise ValueError(refused)
    return livemode


class LiveSettings(Settings):
    """Of who acts on what other services say: whether this deployment is live, as the gateway has it."""

    stripe_livemode: bool = False

    @field_validator("stripe_livemode")
    @classmethod
    def _is_live_only_where_publishers_are_known(cls, livemode: bool, told: ValidationInfo) -> bool:
        return _refuse_live(livemode, told, reads=True)


class SettingsWithKeys(Settings):
    """Of who writes or reads Stripe's webhooks: keys of 32 characters or more, with commas, newest first."""

    attestation_keys: SecretStr = SecretStr("")

    @field_validator("attestation_keys")
    @classmethod
    def _are_strong(cls, keys: SecretStr) -> SecretStr:
        if refused := refused_keys(keys):
            raise ValueError(refused)
        return keys


class SettingsWithMode(SettingsWithKeys):
    """Of who reads or writes webhooks and has no key of Stripe's: which mode this deployment is of."""

    reads_services: ClassVar[bool] = True
    stripe_livemode: bool = False

    @field_validator("stripe_livemode")
    @classmethod
    def _is_live_only_where_writers_are_known(cls, livemode: bool, told: ValidationInfo) -> bool:
        return _refuse_live(livemode, told, reads=cls.reads_services)
