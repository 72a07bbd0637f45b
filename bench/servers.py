"""The servers of the bench, durable (fsync on), and a deployment for each measurement."""

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg

from fleet.migrate import migrate
from hobbs.local.child import Child, stop_all
from hobbs.local.fleet_processes import (
    DRAIN_WITHIN_S,
    Fleet,
    attestation_key,
    ensure_webhook_endpoints,
    fleet_ports,
    ops_port,
    role_passwords,
    wait_until_ready,
)
from hobbs.local.ports import free_ports
from hobbs.local.running_fleet import create_topics
from hobbs.local.stack import Stack, running_stack
from hobbs.local.stripe_sim.control import Control
from schemas.proved import PROVES

# Of every deployment: what the bench itself publishes for a service is proved before there is one.
PUBLISHER_KEYS = {who: f"what {who} proves in the bench".ljust(40, ".") for who in PROVES}
# Usual settings for a server of this size; none trades durability for speed.
_MEMORY_MIB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
POSTGRES_SETTINGS = (
    f"shared_buffers={_MEMORY_MIB // 4}MB",  # the starting value of PostgreSQL's manual
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A database, topics and an emptied simulator, and the workers started on them."""

    stack: Stack
    fleet: Fleet
    workers: list[Child] = field(default_factory=list)

    def start(
        self, service: str, *, count: int = 1, settings: Mapping[str, str] | None = None
    ) -> list[Child]:
        """Start workers of a service and wait until each is ready; `settings` adds environment variables."""
        started = [self._start_one(service, settings or {}) for _ in range(count)]
        self.workers.extend(child for child, _ in started)
        for child, fleet in started:
            wait_until_ready(fleet, {service: child})
        return [child for child, _ in started]

    def _start_one(self, service: str, settings: Mapping[str, str]) -> tuple[Child, Fleet]:
        ops = free_ports(1)[0]
        environment = {name: "" for name in os.environ if name.startswith("HOBBS_")}
        environment |= self.fleet.environment(service) | {"HOBBS_OPS_PORT": str(ops), **settings}
        command = [sys.executable, "-m", "hobbs", "work", service]
        child = Child.start(
            service, command, log=self.fleet.folder / "logs" / f"{service}.log", environment=environment
        )
        return child, replace(self.fleet, ports={**self.fleet.ports, ops_port(service): ops})

    def stop(self, workers: Sequence[Child] | None = None) -> None:
        """Let workers drain: those given, else all."""
        chosen = list(self.workers if workers is None else workers)
        stop_all(chosen, grace_s=DRAIN_WITHIN_S)
        for child in chosen:
            self.workers.remove(child)

    async def connect(self) -> asyncpg.Connection:
        """A connection as the owner of the database."""
        return await asyncpg.connect(self.fleet.owner_url)


@contextlib.contextmanager
def running_servers() -> Iterator[Stack]:
    """Start Postgres, Kafka and the simulator in a temporary folder, deleted after the block."""
    with (
        tempfile.TemporaryDirectory(prefix="hobbs-bench-", ignore_cleanup_errors=True) as folder,
        running_stack(Path(folder), keep=False, postgres_settings=POSTGRES_SETTINGS) as stack,
    ):
        stack.wait_for_postgres()
        stack.wait_for_kafka()
        stack.wait_for_simulator()
        yield stack


@contextlib.asynccontextmanager
async def deployed(stack: Stack) -> AsyncIterator[Deployment]:
    """A new database, new topics and an emptied simulator; the workers stop after the block.

    The simulator takes any rate until a measurement sets Stripe's limits: most measure something else.
    """
    name = f"bench_{secrets.token_hex(4)}"
    folder = stack.folder / name
    (folder / "logs").mkdir(parents=True)
    connection = await asyncpg.connect(stack.postgres.url())
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    passwords = role_passwords(stack.folder)
    await migrate(stack.postgres.url(name), passwords)
    prefix = f"{name}."
    await create_topics(stack.kafka.bootstrap, prefix)
    with Control(stack.simulator.api_base) as simulator:
        simulator.reset()
        simulator.set(rate_limits="off")
    ports = fleet_ports(folder)
    fleet = Fleet(
        folder=folder,
        owner_url=stack.postgres.url(name),
        kafka_bootstrap=stack.kafka.bootstrap,
        stripe_api_base=stack.simulator.api_base,
        stripe_secret_key=stack.simulator.secret_key,
        passwords=passwords,
        ports=ports,
        webhook_secrets=ensure_webhook_endpoints(folder, stack.simulator, ports["gateway"]),
        publisher_keys=PUBLISHER_KEYS,
        attestation_key=attestation_key(folder),
        topic_prefix=prefix,
    )
    deployment = Deployment(stack=stack, fleet=fleet)
    try:
        yield deployment
    finally:
        deployment.stop()
        owner = await asyncpg.connect(stack.postgres.url())
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()
