"""Starts the services' processes on a running stack, each service with its own database role and secrets."""

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import stripe

from fleet.settings import PREFIX, own_prefix
from hobbs.local.child import Child, stop_all
from hobbs.local.ports import LOOPBACK, remembered_ports
from hobbs.local.postgres import write_secret
from hobbs.local.waiting import NotInTime, wait_until
from hobbs.local.webhook_events import EVENTS, THIN_EVENTS
from schemas.proved import PROVES, READS_PROVED, publishers_keys
from schemas.services import ALL, BY_NAME, CONSOLE, LOGINS, OPERATOR, REGISTERED, SERVICES
from schemas.topics import TOPICS

READY_WITHIN_S = 120.0
DRAIN_WITHIN_S = 25.0
OPS_PORT = "HOBBS_OPS_PORT"
OF_EVERYBODY = frozenset({"HOBBS_KAFKA_BOOTSTRAP", "HOBBS_TOPIC_PREFIX", "HOBBS_LOG_LEVEL", OPS_PORT})
_WEBHOOKS = TOPICS["stripe.webhook"]
ATTESTING = frozenset({_WEBHOOKS.owner, *_WEBHOOKS.also_from, *_WEBHOOKS.consumers})


class StripeAccount(Protocol):
    """Where Stripe's API is, and our secret key."""

    @property
    def api_base(self) -> str: ...
    @property
    def secret_key(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The addresses and secrets of one deployment, and the environment of each of its services.

    `owner_url` logs in as the owner of the database, who may read and write everything. The services of
    `together` share one process, named `all`; each of the others has one, named as it is.
    """

    folder: Path
    owner_url: str
    kafka_bootstrap: str
    stripe_api_base: str
    stripe_secret_key: str
    passwords: Mapping[str, str]
    ports: Mapping[str, int]
    webhook_secrets: Mapping[str, str]
    topic_prefix: str = ""
    log_level: str = "INFO"
    together: tuple[str, ...] = ()
    console_secret: str = ""
    publisher_keys: Mapping[str, str] = field(default_factory=dict)  # of each publisher; none: unproved
    attestation_key: str = ""  # proves who wrote a webhook's record; "": nothing is proved
    rows_listed_every_s: float | None = None  # the rows of Stripe's balance; None: as in production
    stripe_limits: str = "auto"  # whose limits of calls a second payouts keeps; "auto": by the key

    @property
    def processes(self) -> dict[str, tuple[str, ...]]:
        """The services of each process, by the process's name."""
        alone: dict[str, tuple[str, ...]] = {s: (s,) for s in SERVICES if s not in self.together}
        return {ALL: self.together, **alone} if self.together else alone

    @property
    def gateway_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['gateway']}"

    @property
    def console_url(self) -> str:
        """The link that lets a person in on this machine; whoever has it may choose who to be."""
        return f"http://{LOOPBACK}:{self.ports[CONSOLE]}/login/local?key={self.console_secret}"

    def ops_url(self, name: str) -> str:
        """Where a process, or the process of a service, is healthy and measured."""
        process = ALL if name in self.together else name
        return f"http://{LOOPBACK}:{self.ports[ops_port(process)]}"

    def database_url(self, login: str) -> str:
        """The database URL of a service's role; `login` "operator" is the command line's."""
        parts = urlsplit(self.owner_url)
        credentials = f"hobbs_{login}:{self.passwords[login]}"
        return urlunsplit(parts._replace(netloc=f"{credentials}@{parts.hostname}:{parts.port}"))

    def environment(self, login: str) -> dict[str, str]:
        """What a service alone in its process reads, or the operator's command line (`login` "operator")."""
        environment = {
            "HOBBS_DATABASE_URL": self.database_url(login),
            "HOBBS_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "HOBBS_TOPIC_PREFIX": self.topic_prefix,
        }
        if login == OPERATOR:
            believed = {f"{own_prefix(who)}PUBLISHERS_KEYS": self._believed_by(who) for who in READS_PROVED}
            return environment | {"HOBBS_STRIPE_API_BASE": self.stripe_api_base, **believed}
        environment[OPS_PORT] = str(self.ports[ops_port(login)])
        environment["HOBBS_LOG_LEVEL"] = self.log_level
        if login == CONSOLE:
            return environment | {
                "HOBBS_CONSOLE_PORT": str(self.ports[CONSOLE]),
                "HOBBS_CONSOLE_LOGIN": "local",
                "HOBBS_CONSOLE_LOCAL_SECRET": self.console_secret,
            }
        service = BY_NAME[login]
        if service.stripe_key:
            environment["HOBBS_STRIPE_API_BASE"] = self.stripe_api_base
            environment["HOBBS_STRIPE_SECRET_KEY"] = self.stripe_secret_key
            environment["HOBBS_STRIPE_LIMITS"] = self.stripe_limits
            if self.rows_listed_every_s is not None:
                environment["HOBBS_MOVEMENTS_POLL_S"] = str(self.rows_listed_every_s)
        if service.http:
            environment[f"HOBBS_{login.upper()}_PORT"] = str(self.ports[login])
        if login in self.publisher_keys:
            environment["HOBBS_PUBLISHER_KEY"] = self.publisher_keys[login]
        if login in READS_PROVED:
            environment["HOBBS_PUBLISHERS_KEYS"] = self._believed_by(login)
        if login in ATTESTING:
            environment["HOBBS_ATTESTATION_KEYS"] = self.attestation_key
        if service.webhook_secrets:
            environment["HOBBS_STRIPE_WEBHOOK_SECRETS"] = self.webhook_secrets["platform"]
            environment["HOBBS_STRIPE_CONNECT_WEBHOOK_SECRETS"] = self.webhook_secrets["connect"]
        return environment

    def _believed_by(self, service: str) -> str:
        return publishers_keys(service, {who: [key] for who, key in self.publisher_keys.items()})

    def process_environment(self, process: str) -> dict[str, str]:
        """What a process reads: of several services, what is a service's own is under its name."""
        if process != ALL:
            return self.environment(process)
        merged = {OPS_PORT: str(self.ports[ops_port(ALL)])}
        for service in self.together:
            for name, value in self.environment(service).items():
                own = own_prefix(service) + name.removeprefix(PREFIX)
                merged.setdefault(name if name in OF_EVERYBODY else own, value)
        return merged


def ops_port(service: str) -> str:
    return f"{service}_ops"


def fleet_ports(folder: Path) -> dict[str, int]:
    http = [service.name for service in REGISTERED if service.http]
    names = [*http, CONSOLE, *map(ops_port, (ALL, *SERVICES, CONSOLE))]
    return remembered_ports(folder / "fleet-ports.json", names)


def console_secret(folder: Path) -> str:
    """The secret in the link to the console, made once and kept with mode 600."""
    file = folder / "console-secret"
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(24))
    return file.read_text(encoding="utf-8").strip()


def attestation_key(folder: Path) -> str:
    """The key that proves who wrote a webhook's record, made once and kept with mode 600."""
    file = folder / "attestation-key"
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8").strip()


def role_passwords(folder: Path) -> dict[str, str]:
    """The passwords of the database's login roles, each made once and kept with mode 600."""
    return _one_for_each(LOGINS, folder / "role-passwords.json")


def publisher_keys(folder: Path) -> dict[str, str]:
    """The keys that prove who published what, each made once and kept with mode 600."""
    return _one_for_each(PROVES, folder / "publisher-keys.json")


def _one_for_each(names: Iterable[str], file: Path) -> dict[str, str]:
    secret_of: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = [name for name in names if name not in secret_of]
    if missing:  # all of them at first; later, those of new services
        secret_of |= {name: secrets.token_urlsafe(32) for name in missing}
        write_secret(file, json.dumps(secret_of))
    return secret_of


def ensure_webhook_endpoints(folder: Path, account: StripeAccount, gateway_port: int) -> dict[str, str]:
    """Register the gateway at Stripe, for the platform's own events and for connected accounts'.

    Stripe shows an endpoint's secret once, when the endpoint is made; it is kept beside the data. A gateway
    on another port keeps its endpoints and secrets.
    """
    file = folder / "webhook-endpoints.json"
    client = stripe.StripeClient(account.secret_key, base_addresses={"api": account.api_base})
    kept: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.exists() else {}
    for kind, path in WEBHOOK_PATHS.items():
        url = f"http://{LOOPBACK}:{gateway_port}{path}"
        events: list[Any] = EVENTS[kind]  # the library's list of event types lacks newer ones
        if kind in kept:
            client.v1.webhook_endpoints.update(kept[kind]["id"], {"url": url, "enabled_events": events})
            continue
        made = client.v1.webhook_endpoints.create(
            {"url": url, "enabled_events": events, "connect": kind == "connect"}
        )
        kept[kind] = {"id": made.id, "secret": str(made.secret)}
    _ensure_destination(client, kept, f"http://{LOOPBACK}:{gateway_port}{WEBHOOK_PATHS['connect']}")
    write_secret(file, json.dumps(kept))
    connect = f"{kept['connect']['secret']},{kept[DESTINATION]['secret']}"
    return {"platform": kept["platform"]["secret"], "connect": connect}


def _ensure_destination(client: stripe.StripeClient, kept: dict[str, dict[str, str]], url: str) -> None:
    """Register the gateway for thin events of connected accounts: what Stripe tells of accounts of API v2."""
    destinations = client.v2.core.event_destinations
    if DESTINATION in kept:
        destinations.update(
            kept[DESTINATION]["id"], {"webhook_endpoint": {"url": url}, "enabled_events": THIN_EVENTS}
        )
        return
    made = destinations.create(
        {
            "name": "Hobbs",
            "type": "webhook_endpoint",
            "webhook_endpoint": {"url": url},
            "event_payload": "thin",
            "events_from": ["@accounts"],
            "enabled_events": THIN_EVENTS,
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert made.webhook_endpoint is not None
    kept[DESTINATION] = {"id": made.id, "secret": str(made.webhook_endpoint.signing_secret)}


DESTINATION = "accounts"
WEBHOOK_PATHS = {"platform": "/webhooks/stripe", "connect": "/webhooks/stripe/connect"}


def start_process(fleet: Fleet, process: str, *, log: Path | None = None) -> Child:
    """Start one of the fleet's processes."""
    log = log or fleet.folder / "logs" / f"{process}.log"
    # A service must not inherit the caller's HOBBS_ variables.
    nothing = {name: "" for name in os.environ if name.startswith(PREFIX)}
    environment = nothing | fleet.process_environment(process)
    return Child.start_module(
        process, "hobbs", "work", *fleet.processes[process], log=log, environment=environment
    )


def start_services(fleet: Fleet, running: dict[str, Child]) -> None:
    """Start each process, added to `running` at once, also when a later one fails."""
    for process in fleet.processes:
        running[process] = start_process(fleet, process)


def start_console(fleet: Fleet) -> Child:
    """Start the console's process; only a fleet with a secret for its link has one."""
    nothing = {name: "" for name in os.environ if name.startswith(PREFIX)}
    log = fleet.folder / "logs" / f"{CONSOLE}.log"
    return Child.start_module(CONSOLE, CONSOLE, log=log, environment=nothing | fleet.environment(CONSOLE))


def wait_until_ready(fleet: Fleet, children: Mapping[str, Child]) -> None:
    """Wait until every process is ready (/readyz). Raises ChildFailed when one ends instead."""
    for process, child in children.items():
        last = [""]

        def ready(process: str = process, child: Child = child, last: list[str] = last) -> bool:
            child.require_running()
            last[0] = not_ready(fleet.ops_url(process))
            return not last[0]

        try:
            wait_until(ready, what=f"{process} (log: {child.log})", within_s=READY_WITHIN_S)
        except NotInTime as error:
            raise NotInTime(f"{error}; it says {last[0]}") from None


def not_ready(ops_url: str) -> str:
    """What a process's readiness check reports as wrong; empty when it is ready."""
    try:
        with urllib.request.urlopen(f"{ops_url}/readyz", timeout=5):
            return ""
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.read().decode(errors="replace")
    except OSError as error:
        return f"nothing: {error}"


def stop_services(children: Iterable[Child]) -> list[Child]:
    """Let every service drain; returns those that had to be killed."""
    return stop_all(children, grace_s=DRAIN_WITHIN_S)
