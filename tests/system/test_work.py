"""`hobbs work`: starts, serves its health, drains on SIGTERM; several services, and several processes."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from pydantic import SecretStr

from fleet import kafka_client
from fleet.settings import Settings
from hobbs.local.ports import free_ports
from hobbs.shell.topic_plans import topic_plans
from schemas.services import SERVICES
from tests.support.databases import service_url

Environment = dict[str, str]
BOTH = SERVICES[:2]


@pytest.fixture
async def ledger(database_url: str, kafka: str) -> Environment:
    """The environment of a ledger process; its topics exist."""
    prefix = f"work-{secrets.token_hex(3)}."
    settings = Settings(database_url=SecretStr(database_url), kafka_bootstrap=kafka, topic_prefix=prefix)
    await kafka_client.create_topics(settings, topic_plans())
    return {
        "HOBBS_DATABASE_URL": service_url(database_url, "ledger"),
        "HOBBS_KAFKA_BOOTSTRAP": kafka,
        "HOBBS_TOPIC_PREFIX": prefix,
    }


@pytest.fixture
def both(ledger: Environment, database_url: str) -> Environment:
    """The environment of a process of the ledger and billing: each has a URL of its own."""
    urls = {f"HOBBS_{name.upper()}_DATABASE_URL": service_url(database_url, name) for name in BOTH}
    return {name: value for name, value in ledger.items() if name != "HOBBS_DATABASE_URL"} | urls


@contextmanager
def work(
    environment: Environment, *arguments: str, services: str = "ledger"
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "hobbs", "work", services, *arguments],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(40)


def eventually(holds: Callable[[], bool], what: str, within_s: float = 240) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.1)


def is_well(port: int, path: str = "readyz") -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=3) as answer:
            return bool(json.load(answer)["ok"])
    except (urllib.error.URLError, OSError):
        return False


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        return [int(child) for child in listed.read().split()]


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as state:
            return state.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_gets_ready_and_drains_on_sigterm(ledger: Environment) -> None:
    (port,) = free_ports(1)
    with work(ledger | {"HOBBS_OPS_PORT": str(port)}) as process:
        eventually(lambda: is_well(port), "the ledger is ready")
        assert is_well(port, "healthz")
        process.send_signal(signal.SIGTERM)
        assert process.wait(29) == 0


def test_missing_settings_are_named_and_are_usage() -> None:
    environment = {"PATH": os.environ["PATH"], "HOBBS_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    result = subprocess.run(
        [sys.executable, "-m", "hobbs", "work", "ledger"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith(
        "ledger: HOBBS_DATABASE_URL is not set; set it, or HOBBS_DATABASE_URL_FILE"
    )


def test_two_services_share_a_process_each_with_its_role_and_drain_together(
    both: Environment, database_url: str
) -> None:
    (port,) = free_ports(1)
    with work(both | {"HOBBS_OPS_PORT": str(port)}, services=",".join(BOTH)) as process:
        eventually(lambda: is_well(port), "both are ready")
        assert asyncio.run(logged_in(database_url)) == {(f"hobbs-{s}", f"hobbs_{s}") for s in BOTH}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=3) as answer:
            metrics = answer.read().decode()
        assert [
            line.split("}")[0] for line in metrics.splitlines() if line.startswith("fleet_outbox_rows{")
        ] == ['fleet_outbox_rows{service="billing"', 'fleet_outbox_rows{service="ledger"']
        assert metrics.count("\nprocess_cpu_seconds_total ") == 1
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=29)
        assert process.returncode == 0
    lines = [json.loads(line) for line in said.splitlines()]
    for service in BOTH:
        told = [line["message"] for line in lines if line["service"] == service]
        assert (told[0], told[-1]) == ("started", "stopped")


async def logged_in(url: str) -> set[tuple[str, str]]:
    """Applications of Hobbs that are connected, each with its role."""
    owner = await asyncpg.connect(url)
    try:
        rows = await owner.fetch(
            "SELECT application_name, usename FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'hobbs-%'"
        )
    finally:
        await owner.close()
    return {(row["application_name"], row["usename"]) for row in rows}


def test_a_service_of_several_without_a_url_of_its_own_is_named(both: Environment) -> None:
    del both["HOBBS_LEDGER_DATABASE_URL"]
    result = subprocess.run(
        [sys.executable, "-m", "hobbs", "work", *BOTH],
        env={"PATH": os.environ["PATH"], "HOBBS_DATABASE_URL": "postgresql://owner@nowhere/hobbs", **both},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == (
        "ledger: HOBBS_LEDGER_DATABASE_URL is not set; set it, or HOBBS_LEDGER_DATABASE_URL_FILE to a file "
        "whose first line is the value\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("leger",),
        ("ledger,biling",),
        ("gateway", "--processes", "2"),
        ("ledger", "--processes", "0"),
        ("all,gateway",),
    ],
)
def test_wrong_arguments_are_a_usage_error(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "hobbs", "work", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_several_processes_have_a_port_each_and_stop_together(ledger: Environment) -> None:
    first = next(port for port in free_ports(20) if port < 65_000)
    with work(ledger | {"HOBBS_OPS_PORT": str(first)}, "--processes", "2") as process:
        eventually(lambda: is_well(first) and is_well(first + 1), "both processes are ready")
        children = children_of(process.pid)
        assert len(children) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(29) == 0
        assert not any(is_running(child) for child in children)


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_when_a_process_dies_the_others_stop_and_it_is_reported(ledger: Environment) -> None:
    with work(ledger, "--processes", "2") as process:
        eventually(lambda: len(children_of(process.pid)) == 2, "both processes are there")
        dead, other = children_of(process.pid)
        time.sleep(2)  # after the exec: before it the signal would kill the tether, not a worker
        os.kill(dead, signal.SIGKILL)
        _, stderr = process.communicate(timeout=40)
        assert process.returncode == 1
        assert f"process {dead} ended by itself with exit code -9; stopping the others" in stderr
        assert not is_running(other)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_no_worker_outlives_a_killed_supervisor(ledger: Environment) -> None:
    with work(ledger, "--processes", "2") as process:
        eventually(lambda: len(children_of(process.pid)) == 2, "both processes are there")
        children = children_of(process.pid)
        time.sleep(2)
        process.kill()
        process.communicate(timeout=30)
        eventually(lambda: not any(is_running(child) for child in children), "the workers are gone")


def test_a_worker_drains_in_time_also_while_its_group_waits_for_a_killed_one(ledger: Environment) -> None:
    (port,) = free_ports(1)
    with work(ledger | {"HOBBS_OPS_PORT": str(port)}) as killed:
        eventually(lambda: is_well(port), "the first one is ready")
        time.sleep(3)  # a member of its group by now; the broker notices its death after 45 s
        killed.kill()
    with work(ledger | {"HOBBS_OPS_PORT": str(port)}) as process:
        eventually(lambda: is_well(port, "healthz"), "the second one lives")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(29) == 0  # orchestrators kill after 30 s
