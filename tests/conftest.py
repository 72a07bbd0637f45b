"""Fixtures every test may ask for. Servers start when the first test needs them, once per session."""

import asyncio
import gc
import importlib
import importlib.util
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvloop
from hypothesis import settings

from fleet.database import Database
from hobbs.local.kafka import prepare_kafka, start_kafka, wait_for_kafka
from hobbs.local.ports import free_port, free_ports
from hobbs.local.postgres import prepare_postgres, start_postgres, wait_for_postgres
from hobbs.local.stack import Simulator, start_simulator, wait_for_simulator
from schemas.services import SERVICES
from tests.support import folders, sharing
from tests.support.brokers import allow_short_sessions
from tests.support.databases import Cluster, Template, cloned, make_template, service_url
from tests.support.metrics import WITH_NAMES_OF_CONSTRAINTS, labelled
from tests.support.stripe import StripeSim, emptied

# How long an example takes depends on what else runs: speed is measured in `make bench`.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    return sharing.scheduler(config, log)


def pytest_configure() -> None:
    """Run tests on the loop that every worker runs on.

    By policy: pytest-asyncio's own hook ends the fixtures of the session when a test asks for one that is
    not async itself.
    """
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of Python 3.14
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collections: they would walk it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def every_label_value_is_declared() -> Iterator[None]:
    """A value that is not in its metric's declaration makes a series that is born at 1 (fleet/metrics.py)."""
    for service in SERVICES:
        if importlib.util.find_spec(f"services.{service}.metrics"):
            importlib.import_module(f"services.{service}.metrics")
    declared = labelled()
    yield
    found = labelled()
    undeclared = {name: found[name] - labels for name, labels in declared.items()}
    assert {
        name: new for name, new in undeclared.items() if new and name not in WITH_NAMES_OF_CONSTRAINTS
    } == {}


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """A folder for servers' data and logs, gone with the session."""
    with folders.session_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def cluster(session_folder: Path) -> Iterator[Cluster]:
    """A real Postgres. What a test commits is committed; only the disk's own cache is trusted."""
    folder, log = session_folder / "postgres", session_folder / "postgres.log"
    prepare_postgres(folder, log)
    # A test outlives no power cut, so flushing the disk would only cost time. Its shared memory goes with the
    # session's folder: what is named by itself stays on the machine when somebody kills the tests.
    settings = ["fsync=off", "dynamic_shared_memory_type=mmap"]
    server = start_postgres(folder, port=free_port(), log=log, settings=settings)
    wait_for_postgres(server)
    yield Cluster(url=server.url())
    server.child.signal(signal.SIGQUIT)
    server.child.wait(10)


@pytest.fixture(scope="session")
async def template(cluster: Cluster) -> Template:
    """A migrated database to clone."""
    return await make_template(cluster)


@pytest.fixture
async def database_url(cluster: Cluster, template: Template) -> AsyncIterator[str]:
    """The owner's URL of a fresh, migrated database."""
    async with cloned(cluster, template) as url:
        yield url


class OpenDatabase(Protocol):
    def __call__(self, service: str, *, pool_size: int = 5) -> Database: ...


@pytest.fixture
async def open_db(database_url: str, template: Template) -> AsyncIterator[OpenDatabase]:
    """Open the test's database as a service's own role: `open_db("ledger")`."""
    opened: list[Database] = []

    def open_as(service: str, *, pool_size: int = 5) -> Database:
        if service in template.broken:
            raise template.broken[service]
        database = Database(service_url(database_url, service), schema=service, pool_size=pool_size)
        opened.append(database)
        return database

    yield open_as
    for database in opened:
        await database.close()


@pytest.fixture(scope="session")
def kafka(session_folder: Path) -> Iterator[str]:
    """A real broker's address. Tests share it: use a topic prefix of your own."""
    folder, log = session_folder / "kafka", session_folder / "kafka.log"
    port, controller_port = free_ports(2)
    prepare_kafka(folder, port=port, controller_port=controller_port, log=log)
    allow_short_sessions(folder)
    broker = start_kafka(folder, port=port, log=log)
    wait_for_kafka(broker)
    yield broker.bootstrap
    broker.child.kill()


@pytest.fixture(scope="session")
def stripe_sim_process(session_folder: Path) -> Iterator[Simulator]:
    log = session_folder / "stripe.log"
    simulator = start_simulator(session_folder / "stripe", port=free_port(), log=log)
    wait_for_simulator(simulator)
    yield simulator
    simulator.child.kill()


@pytest.fixture
def stripe_sim(stripe_sim_process: Simulator) -> Iterator[StripeSim]:
    """A Stripe of its own for each test: same process, everything forgotten."""
    with emptied(stripe_sim_process) as stripe_sim:
        yield stripe_sim
