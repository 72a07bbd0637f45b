"""deploy/compose.small.yml: what the services had apart they have in one container; the gateway stays out."""

from typing import Any

import yaml

from deploy.write_services import PROMETHEUS, SMALL, in_one_container
from schemas.services import ALL, SERVICES, TOGETHER
from tests.contract.deploy.conftest import load_compose

APART: dict[str, Any] = load_compose()["services"]
ONE: dict[str, Any] = yaml.safe_load(SMALL.read_text(encoding="utf-8"))["services"]
CONTAINER: dict[str, Any] = ONE[ALL]


def test_one_container_runs_all_but_the_gateway_and_none_of_them_alone() -> None:
    assert CONTAINER["command"] == ["work", ALL]
    assert {name for name, c in ONE.items() if c.get("profiles") == ["apart"]} == set(TOGETHER)
    assert set(SERVICES) - set(TOGETHER) == {"gateway"}


def test_it_has_every_variable_and_secret_of_the_services_that_it_runs() -> None:
    """The variables of a login are named after its owner; the others are as they were."""
    expected: dict[str, str] = {}
    for service in TOGETHER:
        for name, value in APART[service]["environment"].items():
            login = name.endswith(("_FILE", "_USERNAME")) and name != "HOBBS_KAFKA_CA_FILE"
            expected[name.replace("HOBBS_", f"HOBBS_{service.upper()}_", 1) if login else name] = value
    assert CONTAINER["environment"] == expected
    assert set(CONTAINER["secrets"]) == {s for service in TOGETHER for s in APART[service]["secrets"]}


def test_it_is_as_confined_as_each_of_them_was() -> None:
    alone = APART["payouts"]
    own = {"command", "environment", "secrets", "deploy"}
    assert {k: v for k, v in CONTAINER.items() if k not in own} == {
        k: v for k, v in alone.items() if k not in own
    }


def test_the_simulator_moves_to_the_container_that_calls_stripe() -> None:
    assert ONE["simulator"] == {"network_mode": f"service:{ALL}"}
    there = [word.replace("payouts", ALL) for word in APART["simulator-webhooks"]["command"]]
    assert ONE["simulator-webhooks"] == {"command": there}


def test_a_new_service_is_written_into_the_container_and_only_once() -> None:
    small = SMALL.read_text(encoding="utf-8")
    assert in_one_container(small, TOGETHER) == small  # else: `make services`
    written = in_one_container(small, [*TOGETHER, "logbook"])
    made = yaml.safe_load(written)["services"]
    assert made["logbook"] == {"profiles": ["apart"]}
    assert {"logbook_database_url", "logbook_kafka_password"} <= set(made[ALL]["secrets"])
    assert made[ALL]["environment"]["HOBBS_LOGBOOK_KAFKA_USERNAME"] == "hobbs_${HOBBS_TOPIC_PREFIX:-}logbook"
    assert in_one_container(written, [*TOGETHER, "logbook"]) == written


def test_prometheus_scrapes_each_container_once() -> None:
    config = yaml.safe_load(PROMETHEUS.with_name("prometheus.small.yml").read_text(encoding="utf-8"))
    assert config["scrape_configs"][0]["dns_sd_configs"][0]["names"] == [ALL, "gateway"]
    apart = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
    config["scrape_configs"][0]["dns_sd_configs"][0]["names"] = list(SERVICES)
    assert config == apart
