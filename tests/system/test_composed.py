"""Runs the containers of docker-compose.yml as processes, with their commands, environment and secret files.

Container names become ports of this machine and /run/secrets a folder; the rest is as in the file. It needs
no container engine.
"""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import yaml

from deploy.make_secrets import make_secrets
from hobbs.demo.school import FLIGHTS_FILE
from hobbs.local.child import Child, stop_all
from hobbs.local.ports import free_ports
from hobbs.local.postgres import PASSWORD_FILE, prepare_postgres, start_postgres, wait_for_postgres
from hobbs.local.waiting import wait_until
from schemas.kafka_rights import every_right, user_of
from schemas.services import CONSOLE, DECIDE, KAFKA_USERS, SERVICES
from tests.support.composed_kafka import composed_kafka
from tests.support.guarded_kafka import grant

ROOT = Path(__file__).resolve().parents[2]
CONTAINERS = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The ports and folders of this machine that replace container names."""

    folder: Path
    kafka: str
    postgres_port: int
    simulator_port: int
    gateway_port: int
    console_port: int
    prefix: str
    ops_ports: Mapping[str, int]

    def here(self, text: str) -> str:
        """A value of the compose file with this machine's ports and folders."""
        values = EXAMPLE | {"HOBBS_TOPIC_PREFIX": self.prefix}
        text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: values.get(m[1]) or m[2] or "", text)
        for inside, outside in (
            ("/run/secrets", str(self.folder / "secrets")),
            ("/app/deploy", str(ROOT / "deploy")),
            ("/data", str(self.folder / "simulator")),
            ("0.0.0.0", "127.0.0.1"),
            ("kafka:9092", self.kafka),
            ("payouts:12111", f"127.0.0.1:{self.simulator_port}"),  # the simulator is in its network
            ("127.0.0.1:12111", f"127.0.0.1:{self.simulator_port}"),
            ("--port=12111", f"--port={self.simulator_port}"),
            ("gateway:8080", f"127.0.0.1:{self.gateway_port}"),
        ):
            text = text.replace(inside, outside)
        return text

    def environment(self, name: str) -> dict[str, str]:
        variables = {k: self.here(str(v)) for k, v in CONTAINERS[name].get("environment", {}).items()}
        if name == "gateway":
            variables["HOBBS_GATEWAY_PORT"] = str(self.gateway_port)
        if name == CONSOLE:
            variables["HOBBS_CONSOLE_PORT"] = str(self.console_port)
        if name in self.ops_ports:
            variables["HOBBS_OPS_PORT"] = str(self.ops_ports[name])
        return {"PYTHONPATH": str(ROOT), **variables}

    def command(self, name: str, *instead: str) -> list[str]:
        entrypoint = CONTAINERS[name].get("entrypoint", ["python", "-m", "hobbs"])
        words = [*entrypoint[1:], *(instead or CONTAINERS[name].get("command", []))]
        return [sys.executable, *(self.here(word) for word in words)]

    def run(self, name: str, *instead: str) -> subprocess.CompletedProcess[str]:
        """Run a one-shot container to its end."""
        return subprocess.run(
            self.command(name, *instead),
            env={"PATH": os.environ["PATH"], **self.environment(name)},
            capture_output=True,
            text=True,
            check=False,
        )

    def told(self, name: str, *command: str) -> str:
        """What a one-shot container says when it succeeds."""
        done = self.run(name, *command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str) -> Child:
        log = self.folder / f"{name}.log"
        return Child.start(name, self.command(name), log=log, environment=self.environment(name))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """The compose file's PostgreSQL and Kafka with their secrets, and free ports for the other containers."""
    postgres_port, simulator_port, gateway_port, console_port, *ops_ports = free_ports(4 + len(DECIDE))
    make_secrets(tmp_path / "secrets", f"127.0.0.1:{postgres_port}/hobbs")
    prefix = f"composed-{secrets.token_hex(3)}."
    passwords = {
        user_of(who, prefix): (tmp_path / "secrets" / f"{who}_kafka_password").read_text().strip()
        for who in KAFKA_USERS
    }
    with composed_kafka(
        tmp_path / "kafka", CONTAINERS["kafka"]["environment"], passwords, tmp_path / "secrets"
    ) as kafka:
        asyncio.run(grant({"bootstrap_servers": kafka.within}, every_right(prefix)))
        data = tmp_path / "postgres"
        data.mkdir()
        (data / PASSWORD_FILE).write_text((tmp_path / "secrets" / "postgres_password").read_text())
        (tmp_path / "wal").mkdir(mode=0o777)
        (tmp_path / "wal").chmod(0o777)
        archive = ["archive_mode=on", f"archive_command=cp %p {tmp_path / 'wal'}/%f", "archive_timeout=60"]
        prepare_postgres(data, tmp_path / "postgres.log")
        server = start_postgres(data, port=postgres_port, log=tmp_path / "postgres.log", settings=archive)
        wait_for_postgres(server)
        asyncio.run(create_database(server.url()))
        (tmp_path / "simulator").mkdir()
        yield Machine(
            folder=tmp_path,
            kafka=kafka.containers,
            postgres_port=postgres_port,
            simulator_port=simulator_port,
            gateway_port=gateway_port,
            console_port=console_port,
            prefix=prefix,
            ops_ports=dict(zip(DECIDE, ops_ports, strict=True)),
        )
        server.child.kill()


async def create_database(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE hobbs")
    await connection.close()


def is_healthy(machine: Machine, name: str) -> bool:
    """Run the container's health check."""
    check = [sys.executable, *(machine.here(word) for word in CONTAINERS[name]["healthcheck"]["test"][2:])]
    check[-1] = check[-1].replace("127.0.0.1:12111", f"127.0.0.1:{machine.simulator_port}")
    environment = {"PATH": os.environ["PATH"], **machine.environment(name)}
    return subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 0


def test_the_composed_system_migrates_starts_is_healthy_and_drains(machine: Machine) -> None:
    migrated = machine.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    simulator = machine.start("simulator")
    children = [simulator]
    try:
        wait_until(lambda: is_healthy(machine, "simulator"), what="the simulator", within_s=30)
        assert machine.run("simulator-webhooks").stdout.count("registered") == 2
        children += [machine.start(service) for service in SERVICES]
        for child in children[1:]:
            wait_until_healthy(machine, child)
        machine.told("operator")
        machine.told("operator", "check")
        children.append(machine.start("console"))
        wait_until_healthy(machine, children[-1])
        assert unfit_for_a_live_key(machine) == [
            ("production", "Stripe is asked at"),  # the simulator
            *[("images", name) for name in ("docker-compose.yml", "deploy/Dockerfile")],  # no digests here
        ]
        assert_a_replay_knows_what_came(machine)
    finally:
        stubborn = stop_all(reversed(children), grace_s=30)
    assert [child.name for child in stubborn] == []
    assert {child.name: child.exit_code for child in children[1:]} == dict.fromkeys(DECIDE, 0)


def assert_a_replay_knows_what_came(machine: Machine) -> None:
    """With the keys of billing's publishers what it has is what is read; without them it is refused."""
    flights = machine.folder / "flights.csv"
    flights.write_text("\n".join(FLIGHTS_FILE.read_text().splitlines()[:2]))
    machine.told("operator", "flights", "publish", str(flights), "--yes")
    span = ("flight.completed", "--from", "beginning", "--to", "now", "--service", "billing", "--dry-run")
    wait_until(
        lambda: "nothing would be written" in machine.run("replay", *span).stderr,
        what="the flight at billing",
        within_s=30,
    )
    assert "and this process has none" in machine.run("operator", "replay", *span).stderr


def unfit_for_a_live_key(machine: Machine) -> list[tuple[str, str]]:
    """What `hobbs doctor --production` lists once people log in as themselves and WAL is archived.

    Of what is not checked from there it says so; that is no finding.
    """
    password = machine.told("migrate", "logins", "add", "ann", "--role", "repairs").strip()
    machine.told("migrate", "logins", "close-shared")
    place = f"127.0.0.1:{machine.postgres_port}/hobbs"
    (machine.folder / "secrets" / "operator_database_url").write_text(
        f"postgresql://person_ann:{password}@{place}"
    )
    found = json.loads(machine.run("operator", "doctor", "--production", "-o", "json").stdout)
    unfit = [(one["area"], one["found"]) for one in found if one["state"] in ("warning", "WRONG")]
    return [(area, " ".join(said.split()[: 4 if area == "production" else 1])) for area, said in unfit]


def wait_until_healthy(machine: Machine, child: Child) -> None:
    def healthy() -> bool:
        child.require_running()
        return is_healthy(machine, child.name)

    wait_until(healthy, what=child.name, within_s=60)
