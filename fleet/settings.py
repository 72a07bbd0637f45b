"""Settings from the environment: `HOBBS_X`, or `HOBBS_X_FILE` naming a file whose first line is the value.

Secrets are `SecretStr`, so neither a log line nor a traceback shows them; validation errors hide their input.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "HOBBS_"


class Settings(BaseSettings):
    """What every worker needs to know; a service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr
    kafka_bootstrap: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: FilePath | None = None
    topic_prefix: str = ""
    # How long a killed worker keeps its partitions; a batch may keep the event loop for about a second.
    kafka_session_timeout_s: float = Field(default=15.0, ge=1, le=300)
    # How long a timer's job is left to a process that may be dead; a job that takes longer may run twice.
    timer_lease_s: float = Field(default=300.0, ge=1, le=86_400)
    # How often one process of the service asks the service's invariants.
    check_every_s: float = Field(default=3_600.0, ge=1, le=86_400)
    ops_host: str = "127.0.0.1"
    ops_port: int = Field(default=0, ge=0, le=65535)
    database_pool_size: int = Field(default=5, ge=1, le=50)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @field_validator("database_url")
    @classmethod
    def _is_a_url(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value():  # whoever needs Kafka only says so
            return url
        try:
            port = make_url(url.get_secret_value()).port
        except (ArgumentError, ValueError):
            port = -1
        if port is not None and not 0 < port < 65536:
            raise ValueError("it is not a URL such as postgresql://role:password@host:5432/hobbs")
        return url

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_a_list_of_addresses(cls, bootstrap: str) -> str:
        for address in bootstrap.split(","):
            host, colon, port = address.strip().rpartition(":")
            if colon and not host.endswith(":") and not _is_port(port):
                raise ValueError("it is not a list of addresses such as kafka-1:9092,kafka-2:9092")
        return bootstrap

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _EnvironmentFiles(settings_cls), env_settings


class _EnvironmentFiles(PydanticBaseSettingsSource):
    """Reads `HOBBS_X_FILE`: orchestrators mount secrets as files, and files leak into no child process."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (_first_line(Path(path)) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(f, name)[0] for name, f in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].strip():
        raise ValueError(f"{path} is empty; it should hold the setting on its first line")
    return lines[0].strip()
