"""Backups of a running fleet's database, and offsets as an operator finds or sets them after a restore."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from aiokafka.structs import OffsetAndMetadata

from fleet.reader import Reader
from hobbs.local.fleet_processes import Fleet, start_services, stop_services, wait_until_ready
from hobbs.local.postgres import binaries
from hobbs.local.running_fleet import RunningFleet
from schemas.services import DECIDE
from schemas.topics import TOPICS


async def back_up(fleet: Fleet, file: Path) -> None:
    """Write a backup of the whole database, of one snapshot, while the services go on."""
    await _run("pg_dump", "--format=custom", f"--file={file}", fleet.owner_url)


async def restore(running: RunningFleet, file: Path) -> None:
    """Stop every service and take the database back to a backup."""
    await asyncio.to_thread(stop_services, running.services.values())
    async with _owner(running.fleet) as owner:
        for service in DECIDE:
            await owner.execute(f"DROP SCHEMA IF EXISTS {service}, {service}_public CASCADE")
    await _run("pg_restore", "--exit-on-error", f"--dbname={running.fleet.owner_url}", str(file))


async def start(running: RunningFleet) -> None:
    start_services(running.fleet, running.services)
    await asyncio.to_thread(wait_until_ready, running.fleet, running.services)


async def set_offsets(fleet: Fleet, share: float) -> None:
    """Set the offsets of every group to this share of what it has committed; 0 is the beginning.

    The services are stopped. Left alone, offsets are ahead of a restored database.
    """
    for topic in TOPICS.values():
        for service in topic.consumers:
            group = f"{fleet.topic_prefix}{service}.{topic.name}"
            async with Reader(
                bootstrap_servers=fleet.kafka_bootstrap, group_id=group, enable_auto_commit=False
            ) as member:
                places = await member.places_of(fleet.topic_prefix + topic.name)
                member.assign(places)
                committed = {place: await member.committed(place) for place in places}
                moved = {
                    place: OffsetAndMetadata(int(offset * share), "")
                    for place, offset in committed.items()
                    if offset is not None
                }
                if moved:
                    await member.commit(moved)


@asynccontextmanager
async def _owner(fleet: Fleet) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _run(tool: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        binaries() / tool, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
