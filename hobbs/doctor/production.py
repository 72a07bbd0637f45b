"""Examines whether the settings are fit for a live key: what would be accepted at a desk and is not there.

Pure, but for the rights of secrets' files. Nothing listed means that nothing of what can be seen from these
settings is unfit. Beside it: backups.py, brokers.py, and deployed.py for alerts and images. Who may reach the
machine is seen by nobody here (docs/security.md).
"""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from pydantic import SecretStr

from fleet.attestation_keys import keys_of
from fleet.database_url import is_local, mode, read_url
from fleet.hosts import named_hosts
from fleet.kafka_address import asks_who_writes, reached_by_others
from fleet.settings import PREFIX
from fleet.stripe_keys import is_stripe, livemode_of
from hobbs.doctor.findings import Finding, wrong

AREA: Final = "production"
SECRETS: Final = (
    *("DATABASE_URL", "KAFKA_PASSWORD", "STRIPE_SECRET_KEY", "ATTESTATION_KEYS"),
    *("PUBLISHER_KEY", "PUBLISHERS_KEYS"),
)
# Where a container engine mounts secrets: nobody else is in the container.
MOUNTED: Final = Path("/run/secrets")
SECRET_ENDINGS: Final = ("_SECRET", "_SECRETS", "_DATABASE_URL", "_PASSWORD")


class Told(Protocol):
    """The settings that are judged."""

    @property
    def database_url(self) -> SecretStr: ...
    @property
    def kafka_bootstrap(self) -> str: ...
    @property
    def kafka_security_protocol(self) -> str: ...
    @property
    def kafka_certificate_file(self) -> Path | None: ...
    @property
    def kafka_private_hosts(self) -> str: ...
    @property
    def stripe_secret_key(self) -> SecretStr | None: ...
    @property
    def stripe_api_base(self) -> str: ...
    @property
    def stripe_livemode(self) -> bool: ...
    @property
    def attestation_keys(self) -> SecretStr: ...
    @property
    def publishers_keys(self) -> SecretStr: ...
    @property
    def console_login(self) -> str: ...


def examine_production(told: Told, environment: Mapping[str, str]) -> list[Finding]:
    """What is not fit for a live key, each with the way out; empty when nothing is."""
    return [
        wrong(AREA, found, fix)
        for found, fix in (
            *_database(told),
            *_kafka(told),
            *_stripe(told),
            *_console(told),
            *_secrets(environment),
        )
    ]


def _database(told: Told) -> Iterator[tuple[str, str]]:
    url = read_url(told.database_url.get_secret_value())
    if not is_local(url) and mode(url) != "verify-full":
        yield (
            f"the connection to Postgres on {url.host} is sslmode={mode(url)}: not every name is proven",
            "sslmode=verify-full, with sslrootcert=FILE for a CA of your own (docs/operations/postgres.md)",
        )


def _kafka(told: Told) -> Iterator[tuple[str, str]]:
    known = {
        "kafka_security_protocol": told.kafka_security_protocol,
        "kafka_certificate_file": told.kafka_certificate_file,
    }
    if not asks_who_writes(known):
        yield (
            f"the brokers at {told.kafka_bootstrap} ask nobody who writes: who reaches them has money paid",
            f"{PREFIX}KAFKA_SECURITY_PROTOCOL=SASL_SSL, with users and rights (docs/operations/kafka.md)",
        )
        if private := sorted({*named_hosts(told.kafka_private_hosts)} - {""}):
            yield (
                f"{PREFIX}KAFKA_PRIVATE_HOSTS lets a live one use {', '.join(private)} without a login",
                "give the brokers users and rights, and leave the setting out (docs/operations/kafka.md)",
            )
    elif not told.kafka_security_protocol.endswith("SSL") and reached_by_others(
        told.kafka_bootstrap, private=told.kafka_private_hosts
    ):
        yield (
            "events go to the brokers in clear, where others can read and change them",
            f"SASL_SSL as {PREFIX}KAFKA_SECURITY_PROTOCOL, with a CA of yours (docs/operations/kafka.md)",
        )


def _stripe(told: Told) -> Iterator[tuple[str, str]]:
    key = told.stripe_secret_key.get_secret_value() if told.stripe_secret_key else ""
    if not is_stripe(told.stripe_api_base):
        yield (
            f"Stripe is asked at {told.stripe_api_base}",
            f"leave {PREFIX}STRIPE_API_BASE out (docs/operations/stripe.md)",
        )
    if key.startswith("sk_"):
        yield (
            "Stripe's key may do everything with the account",
            "a restricted key (rk_) with the rights that docs/operations/stripe.md lists",
        )
    if key and livemode_of(key) is not told.stripe_livemode:
        yield (
            "Stripe's key is of another mode than HOBBS_STRIPE_LIVEMODE says",
            f"{PREFIX}STRIPE_LIVEMODE=true with a live key, of receivables too (docs/operations/stripe.md)",
        )
    if not key:
        return  # who has no service's secrets cannot tell; a live service does not start without these
    if not keys_of(told.attestation_keys):
        yield (
            "nothing proves who wrote a webhook's record",
            f"{PREFIX}ATTESTATION_KEYS for gateway, payouts, receivables (docs/operations/secrets.md)",
        )
    if not told.publishers_keys.get_secret_value().strip():
        yield (
            "nothing proves which service wrote a record",
            f"{PREFIX}PUBLISHER_KEY, {PREFIX}PUBLISHERS_KEYS for each service (docs/operations/secrets.md)",
        )


def _console(told: Told) -> Iterator[tuple[str, str]]:
    if told.console_login == "local":
        yield (
            "whoever has the console's link chooses who they are",
            f"{PREFIX}CONSOLE_LOGIN=oidc (docs/operations/console.md)",
        )


def _secrets(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or not value:
            continue
        if name.endswith("_FILE"):
            yield from _file(name, Path(value))
        elif name.removeprefix(PREFIX) in SECRETS or name.endswith(SECRET_ENDINGS):
            yield (
                f"the secret {name} is in the environment, where child processes and dumps have it",
                f"{name}_FILE with a file that only this user reads (docs/operations/secrets.md)",
            )


def _file(name: str, path: Path) -> Iterator[tuple[str, str]]:
    try:
        others = path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP)
    except OSError:
        return  # the doctor says so anyhow
    if others and _reached(path) and not name.endswith(("_CA_FILE", "_CERTIFICATE_FILE")):
        yield (
            f"{name}: others may use {path}",
            f"chmod 0400 {path}, owned by the user that runs Hobbs (docs/operations/secrets.md)",
        )


def _reached(path: Path) -> bool:
    """Whether other users of this machine may enter its folder, and it is not mounted for one container."""
    folder = path.absolute().parent
    return folder != MOUNTED and bool(folder.stat().st_mode & stat.S_IXOTH)
