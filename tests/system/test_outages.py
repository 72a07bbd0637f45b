"""Kafka and Postgres may be away for a while: nothing is lost and nobody has to do anything."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.migrate import migrate
from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.child import Child
from hobbs.local.kafka import Kafka, prepare_kafka, start_kafka, wait_for_kafka
from hobbs.local.ports import LOOPBACK, free_ports
from hobbs.local.postgres import Postgres, prepare_postgres, start_postgres, wait_for_postgres
from tests.support.databases import PASSWORDS
from tests.support.fleets import Silent, fleet_on, outcome
from tests.support.stripe import StripeSim
from tests.system.conftest import Run

OUTAGE_S = 6.0
READABLE_LINES = 60  # of one process's client, which would write 70 a second
CONNECTIONS_TRIED = 500  # a second, by all processes together, which aiokafka alone tries 1,500 times


class Servers:
    """A Postgres and a Kafka that are stopped and restarted on the same ports and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip(("postgres", "kafka", "controller"), free_ports(3), strict=True))
        prepare_postgres(folder / "postgres", folder / "postgres.log")
        prepare_kafka(
            folder / "kafka",
            port=self._ports["kafka"],
            controller_port=self._ports["controller"],
            log=folder / "kafka.log",
        )
        self.postgres = self.start_postgres()
        self.kafka = self.start_kafka()

    def start_postgres(self) -> Postgres:
        server = start_postgres(
            self._folder / "postgres", port=self._ports["postgres"], log=self._folder / "postgres.log"
        )
        wait_for_postgres(server)
        return server

    def start_kafka(self) -> Kafka:
        broker = start_kafka(
            self._folder / "kafka", port=self._ports["kafka"], log=self._folder / "kafka.log"
        )
        wait_for_kafka(broker)
        return broker

    async def cut_postgres(self, seconds: float) -> None:
        await away(self.postgres.child, signal.SIGQUIT, seconds)
        self.postgres = self.start_postgres()

    async def cut_kafka(self, seconds: float) -> float:
        """Returns how many connections to it were tried meanwhile, in each second."""
        await away(self.kafka.child, signal.SIGKILL, seconds)
        tried = await connections_tried(self._ports["kafka"], seconds)
        self.kafka = self.start_kafka()
        return tried


async def away(server: Child, by: signal.Signals, seconds: float) -> None:
    server.signal(by)
    assert server.wait(10)
    await asyncio.sleep(seconds)


async def connections_tried(port: int, seconds: float) -> float:
    """Of a server that is away, in each second. Each connection is closed at once."""
    tried = 0

    def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tried
        tried += 1
        writer.close()

    async with await asyncio.start_server(close, LOOPBACK, port):
        await asyncio.sleep(seconds)
    return tried / seconds


def lines_about_kafka(folder: Path) -> dict[str, int]:
    """How many lines the Kafka client wrote into each service's log."""
    logs = {log.stem: log.read_text() for log in (folder / "logs").glob("*.log")}
    return {service: text.count('"logger":"aiokafka') for service, text in logs.items()}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.kafka.child.kill()
    started.postgres.child.signal(signal.SIGQUIT)
    started.postgres.child.wait(10)


async def test_an_outage_of_postgres_and_of_kafka_loses_nothing(
    undisturbed: Run, servers: Servers, stripe_sim: StripeSim, tmp_path: Path
) -> None:
    owner_url, kafka = servers.postgres.url(), servers.kafka.bootstrap
    await migrate(owner_url, PASSWORDS)
    folder = tmp_path / "fleet"
    folder.mkdir()
    async with fleet_on(
        folder, owner_url=owner_url, kafka=kafka, stripe_sim=stripe_sim, together=()
    ) as running:
        async with Figures(running.fleet) as figures:
            story = Story(running.fleet, figures, Silent(), running.require_running)
            await story.open_school()
            await story.take_off()
        await servers.cut_postgres(OUTAGE_S)
        assert 0 < await servers.cut_kafka(OUTAGE_S / 2) < CONNECTIONS_TRIED
        logged = lines_about_kafka(folder)
        assert all(0 < lines <= READABLE_LINES for lines in logged.values()), logged
        async with Figures(running.fleet) as figures:
            story = Story(running.fleet, figures, Silent(), running.require_running)
            await story.settle()
            await story.pay()
            assert await outcome(figures) == undisturbed.outcome
            verdicts = await check_books(running.fleet, figures)
            assert [verdict for verdict in verdicts if not verdict.holds] == []
