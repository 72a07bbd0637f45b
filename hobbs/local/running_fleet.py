"""Runs all of Hobbs on one machine: servers, schemas, topics, webhook endpoints and every service."""

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from fleet import kafka_client
from fleet.migrate import migrate
from fleet.settings import Settings
from hobbs.local.child import Child, interrupts_put_off
from hobbs.local.fleet_processes import (
    Fleet,
    attestation_key,
    console_secret,
    ensure_webhook_endpoints,
    fleet_ports,
    publisher_keys,
    role_passwords,
    start_console,
    start_services,
    stop_services,
    wait_until_ready,
)
from hobbs.local.kafka_jars import remembered_class_path
from hobbs.local.stack import Stack, running_stack
from hobbs.shell.topic_plans import topic_plans
from schemas.services import CONSOLE, TOGETHER

DATABASE = "hobbs"
ROWS_LISTED_EVERY_S = 3.0  # of a throw-away fleet, which is compared with Stripe at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFleet:
    """A fleet and its processes, by name; each may be stopped and started again."""

    fleet: Fleet
    services: dict[str, Child]
    servers: Sequence[Child] = ()

    def require_running(self) -> None:
        """Raise ChildFailed when a server or a service has ended."""
        for child in (*self.servers, *self.services.values()):
            child.require_running()


@contextlib.contextmanager
def running_fleet(
    folder: Path, *, keep: bool, tell: Callable[[str], None], apart: bool = False
) -> Iterator[RunningFleet]:
    """Start everything under `folder` and stop it after the block; `tell` gets a sentence for each step.

    All services but the gateway share a process, unless `apart`.
    """
    if not remembered_class_path():
        tell("fetching Kafka's jars (the first time only)")
    tell("starting Postgres, Kafka and the Stripe simulator")
    with running_stack(folder, keep=keep) as stack:
        stack.wait_for_postgres()
        tell("migrating")
        passwords = role_passwords(folder)
        asyncio.run(prepare_database(stack, passwords))
        stack.wait_for_kafka()
        asyncio.run(create_topics(stack.kafka.bootstrap))
        stack.wait_for_simulator()
        ports = fleet_ports(folder)
        endpoints = ensure_webhook_endpoints(folder, stack.simulator, ports["gateway"])
        fleet = Fleet(
            folder=folder,
            owner_url=stack.postgres.url(DATABASE),
            kafka_bootstrap=stack.kafka.bootstrap,
            stripe_api_base=stack.simulator.api_base,
            stripe_secret_key=stack.simulator.secret_key,
            passwords=passwords,
            ports=ports,
            webhook_secrets=endpoints,
            together=() if apart else TOGETHER,
            console_secret=console_secret(folder),
            attestation_key=attestation_key(folder),
            publisher_keys=publisher_keys(folder),
            rows_listed_every_s=None if keep else ROWS_LISTED_EVERY_S,
        )
        write_credentials(fleet)
        tell("starting the services")
        services: dict[str, Child] = {}
        try:
            with interrupts_put_off():
                start_services(fleet, services)
                services[CONSOLE] = start_console(fleet)
            wait_until_ready(fleet, services)
            yield RunningFleet(fleet=fleet, services=services, servers=stack.children)
        finally:
            stop_services(services.values())


async def prepare_database(stack: Stack, passwords: dict[str, str]) -> None:
    """Make the database if it is missing, and bring roles and schemas to head."""
    server = await asyncpg.connect(stack.postgres.url())
    try:
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await server.execute("CREATE DATABASE hobbs")
    finally:
        await server.close()
    await migrate(stack.postgres.url(DATABASE), passwords)


async def create_topics(bootstrap: str, prefix: str = "", *, partitions_most: int | None = None) -> None:
    """Create the topics that are missing, each with its partitions or with `partitions_most` if it has more.

    A broker spends as long on the partitions of a fleet as on its traffic when that is small.
    """
    settings = Settings(database_url=SecretStr(""), kafka_bootstrap=bootstrap, topic_prefix=prefix)
    plans = topic_plans()
    if partitions_most is not None:
        plans = [replace(plan, partitions=min(plan.partitions, partitions_most)) for plan in plans]
    await kafka_client.create_topics(settings, plans)


def operator_settings(fleet: Fleet) -> Settings:
    """The settings of the operator's command line."""
    return Settings(
        database_url=SecretStr(fleet.database_url("operator")),
        kafka_bootstrap=fleet.kafka_bootstrap,
        topic_prefix=fleet.topic_prefix,
    )


def credentials_file(folder: Path) -> Path:
    return folder / "operator.env"


def write_credentials(fleet: Fleet) -> None:
    """Write the environment of the `hobbs` commands for this fleet, readable by its owner only."""
    file = credentials_file(fleet.folder)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in fleet.environment("operator").items()]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.writelines(lines)
