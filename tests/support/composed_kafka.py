"""The broker of docker-compose.yml, with its settings, on the embedded Kafka 4.3.1.

The image turns each KAFKA_X_Y variable into a property x.y; so does this. Only ports, the container's host
name and the data folder are replaced. Users are made when the storage is formatted, and rights over the wire:
Kafka's own tools, which `kafka-rights` uses for both, are not among the jars of the local stack.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hobbs.local.kafka import SETTINGS_FILE, Kafka, format_storage, start_kafka, wait_for_kafka
from hobbs.local.ports import LOOPBACK, free_ports
from tests.support.guarded_kafka import credentials

NOT_PROPERTIES: Final = {"KAFKA_HEAP_OPTS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedKafka:
    """A running broker: the addresses for containers, for this machine, and for who shares its network."""

    broker: Kafka
    containers: str
    machine: str
    within: str
    ca: Path


@contextmanager
def composed_kafka(
    folder: Path, environment: Mapping[str, Any], passwords: Mapping[str, str], made: Path
) -> Iterator[ComposedKafka]:
    """Start it; environment: of the compose file's broker; passwords: of each user that it is to know.

    made: the folder of secrets, with the broker's certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    containers, machine, within, controller = free_ports(4)
    replaced = {
        "kafka:9092": f"{LOOPBACK}:{containers}",
        "0.0.0.0:9092": f"{LOOPBACK}:{containers}",
        "0.0.0.0:29092": f"{LOOPBACK}:{machine}",
        "${HOBBS_KAFKA_PORT:-29092}": str(machine),
        ":9093": f":{controller}",
        ":9094": f":{within}",
        "/var/lib/kafka/data": str(folder / "data"),
        "/run/secrets": str(made),
    }
    (folder / SETTINGS_FILE).write_text(properties(environment, replaced))
    log = folder / "kafka.log"
    format_storage(folder / SETTINGS_FILE, log, *credentials(passwords))
    (folder / "data" / "hobbs-rights").write_text("kafka-rights leaves a file beside the data")
    broker = start_kafka(folder, port=machine, log=log)
    try:
        wait_for_kafka(broker)
        yield ComposedKafka(
            broker=broker,
            containers=f"{LOOPBACK}:{containers}",
            machine=broker.bootstrap,
            within=f"{LOOPBACK}:{within}",
            ca=made / "kafka_ca",
        )
    finally:
        broker.child.kill()


def properties(environment: Mapping[str, Any], replaced: Mapping[str, str]) -> str:
    """The variables as the image writes them: one _ is a dot, two are a _, three a dash."""
    lines = []
    for name, value in environment.items():
        if name.startswith("KAFKA_") and name not in NOT_PROPERTIES:
            for old, new in replaced.items():
                value = value.replace(old, new)
            dotted = name.removeprefix("KAFKA_").lower().replace("_", ".")
            lines.append(f"{dotted.replace('...', '-').replace('..', '_')}={value}")
    return "\n".join(lines) + "\n"
