"""Starts and stops Postgres, Kafka and the Stripe simulator together.

The slow preparations (initdb, formatting Kafka's storage) run side by side in threads; the servers are
started from the main thread, because the kernel ties a child's life to the thread that started it.
"""

import contextlib
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hobbs.local.child import Child, interrupts_put_off, stop_all
from hobbs.local.kafka import Kafka, prepare_kafka, start_kafka, wait_for_kafka
from hobbs.local.ports import LOOPBACK, answers, remembered_ports
from hobbs.local.postgres import Postgres, prepare_postgres, start_postgres, wait_for_postgres, write_secret
from hobbs.local.waiting import wait_until

SIMULATOR_READY_WITHIN_S = 30.0
PORTS = ("postgres", "kafka", "kafka_controller", "simulator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A running Stripe simulator."""

    child: Child
    port: int
    secret_key: str

    @property
    def api_base(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The three servers; each `wait_for_*` returns once its server answers."""

    folder: Path
    postgres: Postgres
    kafka: Kafka
    simulator: Simulator

    @property
    def children(self) -> list[Child]:
        return [self.simulator.child, self.kafka.child, self.postgres.child]

    def wait_for_postgres(self) -> None:
        wait_for_postgres(self.postgres)

    def wait_for_kafka(self) -> None:
        wait_for_kafka(self.kafka)

    def wait_for_simulator(self) -> None:
        wait_for_simulator(self.simulator)

    def require_running(self) -> None:
        for child in self.children:
            child.require_running()


@contextlib.contextmanager
def running_stack(folder: Path, *, keep: bool, postgres_settings: Sequence[str] = ()) -> Iterator[Stack]:
    """Run the servers with their data and logs under `folder`.

    With `keep` they stop cleanly and use the same data and ports next time; without it they are killed and
    the data is deleted.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    ports = remembered_ports(folder / "ports.json", PORTS)
    prepare(folder, ports, logs)
    with contextlib.ExitStack() as running:
        with interrupts_put_off():
            postgres = start_postgres(
                folder / "postgres",
                port=ports["postgres"],
                log=logs / "postgres.log",
                settings=postgres_settings,
            )
            running.callback(stop_server, postgres.child, signal.SIGINT if keep else signal.SIGQUIT)
            kafka = start_kafka(folder / "kafka", port=ports["kafka"], log=logs / "kafka.log")
            running.callback(stop_server, kafka.child, signal.SIGTERM if keep else signal.SIGKILL)
            simulator = start_simulator(folder / "stripe", port=ports["simulator"], log=logs / "stripe.log")
            running.callback(stop_server, simulator.child, signal.SIGTERM)
        yield Stack(folder=folder, postgres=postgres, kafka=kafka, simulator=simulator)


def stop_server(child: Child, by: signal.Signals) -> None:
    stop_all([child], by=by, grace_s=20.0)


def prepare(folder: Path, ports: Mapping[str, int], logs: Path) -> None:
    with ThreadPoolExecutor(max_workers=2) as threads:
        steps = [
            threads.submit(prepare_postgres, folder / "postgres", logs / "postgres.log"),
            threads.submit(
                prepare_kafka,
                folder / "kafka",
                port=ports["kafka"],
                controller_port=ports["kafka_controller"],
                log=logs / "kafka.log",
            ),
        ]
        for step in steps:
            step.result()


def start_simulator(folder: Path, *, port: int, log: Path) -> Simulator:
    """Start the simulator with the API key in its folder, which the first start makes."""
    folder.mkdir(parents=True, exist_ok=True)
    key_file = folder / "secret-key"
    if not key_file.exists():
        write_secret(key_file, f"sk_test_{secrets.token_hex(16)}")
    command = [sys.executable, "-m", "hobbs.local.stripe_sim", "--port", str(port), "--data", str(folder)]
    child = Child.start("stripe simulator", [*command, "--fast", "--secret-key-file", str(key_file)], log=log)
    return Simulator(child=child, port=port, secret_key=key_file.read_text().strip())


def wait_for_simulator(simulator: Simulator) -> None:
    def ready() -> bool:
        simulator.child.require_running()
        return answers(simulator.port)

    wait_until(ready, what="the Stripe simulator", within_s=SIMULATOR_READY_WITHIN_S)
