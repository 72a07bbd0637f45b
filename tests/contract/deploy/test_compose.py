"""docker-compose.yml: every service, loopback only, secrets as files, no privileges."""

import importlib
import importlib.util
import re
from typing import Any

import pytest
import yaml

from deploy.make_secrets import make_secrets
from deploy.write_services import PROMETHEUS, RULES, with_absences, with_services, with_targets
from fleet.settings import PREFIX, Settings, own_prefix
from fleet.stripe_keys import refused_address
from hobbs.commands.doctor import DoctorSettings
from hobbs.commands.migrate import LoginUrls
from schemas.kafka_rights import user_of
from schemas.proved import READS_PROVED
from schemas.services import BY_NAME, KAFKA_USERS, SERVICES
from tests.contract.deploy.conftest import COMPOSE, ENV_EXAMPLE, load_compose

CONTAINERS = load_compose()["services"]
OURS = sorted(name for name, container in CONTAINERS.items() if "build" in container)
EACH_CONTAINER = pytest.mark.parametrize("name", sorted(CONTAINERS))
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)
SECRET_NAME = re.compile(r"PASSWORD|SECRET|DATABASE_URL|_KEY\b|_KEY_")


@EACH_SERVICE
def test_every_service_runs_waits_and_is_watched(service: str) -> None:
    container = CONTAINERS[service]
    assert container["command"] == ["work", service]
    assert container["restart"] == "unless-stopped"
    assert container["healthcheck"]["test"][-1] == "/app/deploy/health.py"
    assert int(container["stop_grace_period"].removesuffix("s")) > 25, "a worker drains in under 25 s"
    conditions = {on: how["condition"] for on, how in container["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "kafka": "service_healthy",
    }


def test_compose_and_prometheus_name_every_registered_service() -> None:
    """When this fails: `make services` writes what is missing."""
    compose, prometheus = COMPOSE.read_text(encoding="utf-8"), PROMETHEUS.read_text(encoding="utf-8")
    assert with_services(compose, SERVICES) == compose
    assert with_targets(prometheus, SERVICES) == prometheus
    rules = RULES.read_text(encoding="utf-8")
    assert with_absences(rules, SERVICES) == rules
    assert 'or absent(fleet_outbox_age_seconds{service="new"})\n' in with_absences(rules, (*SERVICES, "new"))


def test_a_new_service_is_written_behind_the_one_before_it_and_only_once() -> None:
    compose = COMPOSE.read_text(encoding="utf-8")
    written = with_services(compose, [*SERVICES, "logbook"])
    container = yaml.safe_load(written)["services"]["logbook"]
    assert container["command"] == ["work", "logbook"]
    assert container["secrets"] == [
        *("logbook_database_url", "logbook_kafka_password", "kafka_ca", "postgres_ca"),
    ]
    assert "logbook_kafka_password" in yaml.safe_load(written)["services"]["kafka-rights"]["secrets"]
    assert container["depends_on"] == CONTAINERS[SERVICES[0]]["depends_on"]
    assert with_services(written, [*SERVICES, "logbook"]) == written
    rest = iter(written.splitlines())
    assert all(line in rest for line in compose.splitlines())


def test_every_worker_container_is_a_service() -> None:
    works = [c["command"][1] for c in CONTAINERS.values() if c.get("command", [""])[0] == "work"]
    assert sorted(works) == sorted(SERVICES)


@EACH_CONTAINER
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in CONTAINERS[name].get("ports", []):
        assert str(port).startswith("127.0.0.1:"), port


@EACH_CONTAINER
def test_no_container_has_privileges_it_does_not_need(name: str) -> None:
    container = CONTAINERS[name]
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]
    assert not {"privileged", "cap_add", "pid", "devices"} & container.keys()
    # What asks nobody stays on the loopback: of payouts and the simulator, of Kafka and who grants rights.
    expected = {"simulator": "service:payouts", "kafka-rights": "service:kafka"}
    assert container.get("network_mode") == expected.get(name)
    assert not any("docker.sock" in str(volume) for volume in container.get("volumes", []))


@EACH_CONTAINER
def test_every_container_has_limits(name: str) -> None:
    limits = CONTAINERS[name]["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert CONTAINERS[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_cannot_write_and_are_nobody(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["user"] == "10001:10001"


@EACH_CONTAINER
def test_images_are_pinned_to_a_version(name: str) -> None:
    tag = CONTAINERS[name]["image"].partition("@")[0].rpartition(":")[2].rstrip("}")
    assert re.search(r"\d+\.\d+", tag), CONTAINERS[name]["image"]


@pytest.mark.parametrize(
    ("name", "image"),
    [("postgres", "postgres:18."), ("kafka", "apache/kafka:4.3.1")],
    ids=["postgres", "kafka"],
)
def test_the_images_have_the_tested_versions(name: str, image: str) -> None:
    assert CONTAINERS[name]["image"].startswith(image)
    assert "test" in CONTAINERS[name]["healthcheck"]


@EACH_CONTAINER
def test_secrets_come_as_files_that_are_mounted(name: str) -> None:
    container = CONTAINERS[name]
    for variable, value in container.get("environment", {}).items():
        if SECRET_NAME.search(variable) and value != "/run/secrets":  # the folder
            assert variable.endswith("_FILE"), f"{variable} would be visible in `docker inspect`"
        if variable.endswith("_FILE"):
            folder, _, secret = value.rpartition("/")
            assert (folder, secret in container["secrets"]) == ("/run/secrets", True)


@pytest.mark.parametrize("name", [*SERVICES, "console", "operator"])
def test_each_has_its_own_logins_and_no_other(name: str) -> None:
    container = CONTAINERS[name]
    for kind in ("database_url", "kafka_password"):
        assert [secret for secret in container["secrets"] if secret.endswith(kind)] == [f"{name}_{kind}"]
    assert container["environment"]["HOBBS_KAFKA_USERNAME"] == user_of(name, "${HOBBS_TOPIC_PREFIX:-}")


def test_a_replay_reads_with_the_keys_of_each_service_to_which_it_may_replay() -> None:
    given = set(CONTAINERS["replay"]["environment"])
    assert {name for name in given if "PUBLISHERS_KEYS" in name} == {
        f"{own_prefix(service)}PUBLISHERS_KEYS_FILE"
        for service in READS_PROVED
        if not BY_NAME[service].stripe_key
    }
    assert not [secret for secret in CONTAINERS["operator"]["secrets"] if "publisher" in secret]
    assert not [secret for secret in CONTAINERS["replay"]["secrets"] if "stripe" in secret]


def test_every_user_of_kafka_is_made_before_anybody_logs_in() -> None:
    rights, migrate = CONTAINERS["kafka-rights"], CONTAINERS["migrate"]
    assert rights["secrets"] == [f"{who}_kafka_password" for who in KAFKA_USERS]
    assert migrate["depends_on"]["kafka-rights"] == {"condition": "service_completed_successfully"}
    assert migrate["environment"]["HOBBS_KAFKA_USERNAME"] == user_of("migrate", "${HOBBS_TOPIC_PREFIX:-}")


def test_only_payouts_and_the_simulator_are_given_stripes_key() -> None:
    holders = {name for name, c in CONTAINERS.items() if "stripe_secret_key" in c.get("secrets", [])}
    assert holders == {"payouts", "simulator"}


def test_every_secret_is_declared_used_and_made(tmp_path: Any, compose: dict[str, Any]) -> None:
    used = {secret for container in CONTAINERS.values() for secret in container.get("secrets", [])}
    made = set(make_secrets(tmp_path))
    assert used == compose["secrets"].keys() == made
    assert {s["file"] for s in compose["secrets"].values()} == {f"deploy/secrets/{name}" for name in made}


def test_each_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()
    explained = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert wanted | {"COMPOSE_PROFILES"} == explained


@pytest.mark.parametrize("name", [*SERVICES, "migrate", "operator"])
def test_each_setting_given_to_a_container_is_one_it_reads(name: str) -> None:
    known = {f"{PREFIX}{field.upper()}" for field in settings_of(name).model_fields}
    for variable in CONTAINERS[name]["environment"]:
        assert {variable, variable.removesuffix("_FILE")} & known, variable


def settings_of(name: str) -> type[Settings]:
    if name in ("migrate", "operator"):
        return LoginUrls if name == "migrate" else DoctorSettings
    if importlib.util.find_spec(f"services.{name}.settings") is None:
        return Settings
    module = importlib.import_module(f"services.{name}.settings")
    found = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Settings)]
    return max(found, key=lambda kind: len(kind.mro()))


def test_payouts_reaches_the_simulator_over_the_loopback_only() -> None:
    example = dict(line.split("=", 1) for line in ENV_EXAMPLE.read_text().splitlines() if "=" in line[:60])
    address = example["HOBBS_STRIPE_API_BASE"]
    assert refused_address(address, livemode=False) is None
    assert CONTAINERS["simulator"]["environment"]["HOBBS_STRIPE_API_BASE"] == address
    assert CONTAINERS["simulator"]["build"]["target"] == "simulator"
    assert CONTAINERS["payouts"]["build"]["target"] == "services"


def test_who_takes_webhooks_is_told_the_mode() -> None:
    for name in (*SERVICES, "operator"):
        reads = "stripe_livemode" in settings_of(name).model_fields
        assert ("HOBBS_STRIPE_LIVEMODE" in CONTAINERS[name]["environment"]) is reads, name


def test_the_simulator_runs_only_when_asked_for() -> None:
    assert CONTAINERS["simulator"]["profiles"] == ["simulator"]
    assert CONTAINERS["simulator-webhooks"]["profiles"] == ["simulator"]
    assert not any(
        CONTAINERS[service].get("profiles") for service in (*SERVICES, "postgres", "kafka", "migrate")
    )
