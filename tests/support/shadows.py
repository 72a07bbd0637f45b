"""A shadow beside a running fleet: its database, its topics and its process, as an operator makes them."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from fleet.settings import PREFIX
from hobbs.cli import assemble
from hobbs.local.child import Child, stop_all
from hobbs.local.fleet_processes import Fleet, not_ready
from hobbs.local.ports import LOOPBACK, free_port
from hobbs.local.running_fleet import create_topics
from hobbs.local.waiting import wait_until
from schemas.shadow import SHADOWED
from tests.support.databases import Cluster, empty, service_url

OWN_PREFIX = "shadow."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A shadow's database, and what its process and people at it read."""

    owner_url: str
    environment: Mapping[str, str]
    log: Path

    @property
    def operator(self) -> dict[str, str]:
        """The settings of `hobbs` at the shadow."""
        kept = ("HOBBS_KAFKA_BOOTSTRAP", "HOBBS_TOPIC_PREFIX")
        return {name: self.environment[name] for name in kept} | {
            "HOBBS_DATABASE_URL": service_url(self.owner_url, "operator")
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run its process, ready, for the block."""
        port = free_port()
        nothing = {name: "" for name in os.environ if name.startswith(PREFIX)}
        child = Child.start_module(
            "shadow",
            "hobbs",
            "work",
            "shadow",
            log=self.log,
            environment={**nothing, **self.environment, "HOBBS_OPS_PORT": str(port)},
        )

        def ready() -> bool:
            child.require_running()
            return not not_ready(f"http://{LOOPBACK}:{port}")

        try:
            await asyncio.to_thread(wait_until, ready, what=f"the shadow ({self.log})", within_s=120.0)
            yield
        finally:
            await asyncio.to_thread(stop_all, [child])


@asynccontextmanager
async def shadow_of(
    fleet: Fleet, cluster: Cluster, *options: str, own: str = OWN_PREFIX
) -> AsyncIterator[Shadow]:
    """Make a shadow of this fleet by `hobbs migrate --shadow-of`; topics have one partition each."""
    prefix = fleet.topic_prefix + own
    async with empty(cluster) as url:
        await create_topics(fleet.kafka_bootstrap, prefix, partitions_most=1)
        common = {"HOBBS_KAFKA_BOOTSTRAP": fleet.kafka_bootstrap, "HOBBS_TOPIC_PREFIX": prefix}
        await typed(
            common | {"HOBBS_DATABASE_URL": url},
            *("migrate", "--no-topics", "--share-roles", "--shadow-of", fleet.topic_prefix, *options),
        )
        urls = {f"HOBBS_{s.upper()}_DATABASE_URL": service_url(url, s) for s in SHADOWED}
        yield Shadow(owner_url=url, environment=common | urls, log=fleet.folder / "logs" / "shadow.log")


class Refused(Exception):
    """A command ended with another code than 0; the text is what it said."""


async def typed(environment: Mapping[str, str], *arguments: str) -> None:
    """Type a command in this process with these settings and no other. Raises Refused."""
    nothing = dict.fromkeys((name for name in os.environ if name.startswith(PREFIX)), None)
    command = assemble([arguments[0]])
    result = await asyncio.to_thread(
        CliRunner().invoke, command, [*arguments], env={**nothing, **environment}
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code:
        raise Refused(result.stderr)
