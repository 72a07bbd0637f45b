"""The servers of a run, and its deployment: a database, a topic prefix and an emptied simulator."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from fleet.migrate import migrate
from hobbs.local import kafka, postgres, stack
from hobbs.local.fleet_processes import (
    Fleet,
    attestation_key,
    ensure_webhook_endpoints,
    fleet_ports,
    publisher_keys,
    role_passwords,
)
from hobbs.local.ports import free_ports
from hobbs.local.running_fleet import create_topics
from hobbs.local.stripe_sim.control import Control
from tests.support.brokers import allow_short_sessions


@dataclass(slots=True, kw_only=True)
class Servers:
    """A Postgres, a Kafka and a simulator; the first two can be killed and restarted on their data."""

    folder: Path
    ports: dict[str, int]
    postgres: postgres.Postgres
    kafka: kafka.Kafka
    simulator: stack.Simulator

    def restart_postgres(self) -> None:
        """Stop it at once, without a checkpoint, and start it again."""
        self.postgres.child.signal(signal.SIGQUIT)
        self.postgres.child.wait(20)
        self.postgres = start_postgres(self.folder, self.ports)

    def restart_kafka(self) -> None:
        """kill -9 the broker and start it again."""
        self.kafka.child.kill()
        self.kafka = start_kafka(self.folder, self.ports)


@contextlib.contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Start the three servers under `folder`, and kill them after the block."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    ports = dict(zip(("postgres", "kafka", "controller", "simulator"), free_ports(4), strict=True))
    log = folder / "logs" / "prepare.log"
    postgres.prepare_postgres(folder / "postgres", log)
    kafka.prepare_kafka(folder / "kafka", port=ports["kafka"], controller_port=ports["controller"], log=log)
    allow_short_sessions(folder / "kafka")
    servers = Servers(
        folder=folder,
        ports=ports,
        postgres=start_postgres(folder, ports),
        kafka=start_kafka(folder, ports),
        simulator=stack.start_simulator(
            folder / "stripe", port=ports["simulator"], log=folder / "logs" / "stripe.log"
        ),
    )
    stack.wait_for_simulator(servers.simulator)
    try:
        yield servers
    finally:
        servers.simulator.child.kill()
        servers.kafka.child.kill()
        servers.postgres.child.signal(signal.SIGQUIT)
        servers.postgres.child.wait(20)


def start_postgres(folder: Path, ports: dict[str, int]) -> postgres.Postgres:
    # fsync is needed for power cuts only: the kernel keeps what a killed process wrote.
    log = folder / "logs" / "postgres.log"
    server = postgres.start_postgres(
        folder / "postgres", port=ports["postgres"], log=log, settings=["fsync=off"]
    )
    postgres.wait_for_postgres(server)
    return server


def start_kafka(folder: Path, ports: dict[str, int]) -> kafka.Kafka:
    broker = kafka.start_kafka(folder / "kafka", port=ports["kafka"], log=folder / "logs" / "kafka.log")
    kafka.wait_for_kafka(broker)
    return broker


async def deploy(servers: Servers) -> Fleet:
    """A deployment with a new, migrated database."""
    name = f"run_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(servers.postgres.url())
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    owner_url = servers.postgres.url(name)
    passwords = role_passwords(servers.folder)
    await migrate(owner_url, passwords)
    return await deployment(
        servers.folder / name,
        owner_url=owner_url,
        kafka=servers.kafka.bootstrap,
        simulator=servers.simulator,
        passwords=passwords,
    )


async def deployment(
    folder: Path, *, owner_url: str, kafka: str, simulator: stack.Simulator, passwords: Mapping[str, str]
) -> Fleet:
    """Make topics and empty the simulator for a migrated database, ready for workers."""
    (folder / "logs").mkdir(parents=True)
    prefix = f"{folder.name}-{secrets.token_hex(4)}."
    await create_topics(kafka, prefix)
    with Control(simulator.api_base) as control:
        control.reset()
    ports = fleet_ports(folder)
    endpoints = await asyncio.to_thread(ensure_webhook_endpoints, folder, simulator, ports["gateway"])
    return Fleet(
        folder=folder,
        owner_url=owner_url,
        kafka_bootstrap=kafka,
        stripe_api_base=simulator.api_base,
        stripe_secret_key=simulator.secret_key,
        passwords=passwords,
        ports=ports,
        webhook_secrets=endpoints,
        publisher_keys=publisher_keys(folder),
        attestation_key=attestation_key(folder),
        topic_prefix=prefix,
    )


def second_gateway(fleet: Fleet) -> Fleet:
    """The same deployment for a second gateway, on a port of its own."""
    return replace(fleet, ports={**fleet.ports, "gateway": free_ports(1)[0]})
