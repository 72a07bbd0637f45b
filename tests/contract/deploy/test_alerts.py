"""Each alert fires when it should, stays silent when it should, and sees the first event after a start."""

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.services import CONSOLE, SERVICES
from schemas.topics import TOPICS
from tests.contract.deploy.conftest import ROOT
from tests.support.metrics import Series, fresh_series

FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "hobbs.rules.yml"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
CASES = ("fires", "does not fire", "starts from nothing")
PAGE = ROOT / "docs" / "operations" / "monitoring.md"

ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
EACH_ALERT = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)
EACH_MEASURED = pytest.mark.parametrize("service", [*SERVICES, CONSOLE])

SELECTOR = re.compile(
    rf"\b(?P<name>(?:fleet|{'|'.join([*SERVICES, CONSOLE])})_[a-z_]+)(?:\{{(?P<matchers>[^}}]*)\}})?"
)
MATCHER = re.compile(r'(?P<label>\w+)\s*(?P<how>=~|!~|!=|=)\s*"(?P<value>[^"]*)"')
PER_TOPIC = (
    "fleet_oldest_record_age_seconds",
    "fleet_batch_age_seconds",
    "fleet_batch_failures_total",
    "fleet_fetch_failures_total",
    "fleet_partitions_unread",
)
HOLDS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool on the PATH (Debian: apt-get install prometheus): no alert was evaluated")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)


def accepted(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stdout + result.stderr


def test_prometheus_reads_the_rules_and_the_configuration() -> None:
    accepted(promtool("check", "rules", RULES))
    accepted(promtool("check", "config", FOLDER / "prometheus.yml"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_each_alert_does_what_its_cases_say(path: Path, tmp_path: Path) -> None:
    """As `promtool test rules` says of the file, but each alert alone: no other is evaluated beside it."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    written = []
    for alert, tests in groupby(sorted(given["tests"], key=named_alert), key=named_alert):
        rules, cases = tmp_path / f"{alert}.rules.yml", tmp_path / f"{alert}.yml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": alert, "rules": rules_of(alert)}]}))
        cases.write_text(yaml.safe_dump({**given, "rule_files": [rules.name], "tests": list(tests)}))
        written.append(cases)
    accepted(promtool("test", "rules", *written))


def named_alert(test: dict[str, Any]) -> str:
    return str(test["name"]).partition(":")[0]


def rules_of(alert: str) -> list[dict[str, Any]]:
    return [rule for rule in ALERTS if rule["alert"] == alert]


@cache
def cases() -> list[tuple[str, str, dict[str, Any]]]:
    """Alert, case and test of each test, whose name is `<alert>: <case>` and perhaps more."""
    found = []
    for path in TESTS:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            alert, _, case = test["name"].partition(": ")
            found.append((alert, case.partition(",")[0], test))
    return found


@EACH_ALERT
def test_each_alert_has_a_case_that_fires_one_that_does_not_and_one_from_nothing(
    alert: dict[str, Any],
) -> None:
    found = [(case, test) for name, case, test in cases() if name == alert["alert"]]
    assert {case for case, _ in found} == set(CASES)
    for case, test in found:
        looks = test["alert_rule_test"]
        assert {look["alertname"] for look in looks} == {alert["alert"]}
        assert any(look["exp_alerts"] for look in looks) is (case != "does not fire"), test["name"]
        if case == "starts from nothing":
            starts = [str(series["values"]).split()[0] for series in test["input_series"]]
            assert all(start.startswith("_") for start in starts) or "after a process" in test["name"]


def test_no_case_is_of_an_alert_that_is_gone() -> None:
    assert {name for name, _, _ in cases()} == {alert["alert"] for alert in ALERTS}


def selectors(expression: str) -> list[tuple[str, str]]:
    return [(found["name"], found["matchers"] or "") for found in SELECTOR.finditer(expression)]


def selected(series: Series, name: str, matchers: str) -> bool:
    return series.name == name and all(
        HOLDS[m["how"]](series.labels.get(m["label"], ""), m["value"]) for m in MATCHER.finditer(matchers)
    )


def measuring(name: str, matchers: str) -> list[str]:
    """The services that serve what a selector names."""
    if not name.startswith("fleet_"):
        return [name.partition("_")[0]]
    of_service = [m for m in MATCHER.finditer(matchers) if m["label"] == "service"]
    if name in PER_TOPIC:
        return [s for s in SERVICES if any(s in topic.consumers for topic in TOPICS.values())]
    return [s for s in SERVICES if all(HOLDS[m["how"]](s, m["value"]) for m in of_service)]


@EACH_ALERT
def test_every_series_an_alert_looks_at_is_0_in_a_process_that_just_started(alert: dict[str, Any]) -> None:
    looked_at = selectors(alert["expr"])
    assert looked_at or alert["alert"] == "HobbsProcessDown"
    for name, matchers in looked_at:
        for service in measuring(name, matchers):
            values = [s.value for s in fresh_series(service) if selected(s, name, matchers)]
            assert values, f"{service} does not serve {name}{{{matchers}}}"
            assert set(values) == {0.0}


@EACH_SERVICE
def test_each_topic_of_a_service_has_its_series_before_the_first_record(service: str) -> None:
    consumed = {topic.name for topic in TOPICS.values() if service in topic.consumers}
    for name in PER_TOPIC:
        assert {s.labels["topic"] for s in fresh_series(service) if s.name == name} == consumed


@EACH_ALERT
def test_no_alert_takes_the_increase_of_a_series_without_minding_its_birth(alert: dict[str, Any]) -> None:
    """A series that was not there when the window began: all it counts is new (see the rules' heading)."""
    expression = " ".join(alert["expr"].split())
    for function, selector, window in re.findall(r"(\w+)\(([a-z_]+(?:\{[^}]*\})?)\[(\w+)\]", expression):
        if function == "max_over_time":  # of a gauge: nothing is subtracted from a sample before the first
            continue
        assert function == "increase"
        assert f"{selector} unless {selector} offset {window}" in expression
    assert expression.count("increase(") == expression.count(" offset ")


@EACH_ALERT
def test_absence_is_asked_for_one_series_named_by_equal_labels(alert: dict[str, Any]) -> None:
    for inner in re.findall(r"absent\w*\(([^)]*)\)", alert["expr"]):
        assert re.fullmatch(r'[a-z_]+\{\w+="[^"]+"(, \w+="[^"]+")*\}', inner)


def test_a_service_whose_processes_are_gone_is_missed() -> None:
    gone = next(alert for alert in ALERTS if alert["alert"] == "HobbsServiceGone")
    assert re.findall(r'service="(\w+)"', gone["expr"]) == list(SERVICES)
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    scraped = [one["names"] for one in config["scrape_configs"][0]["dns_sd_configs"]]
    assert scraped == [list(SERVICES), [CONSOLE]]


@EACH_ALERT
def test_each_alert_says_what_to_read_and_the_page_says_the_same(alert: dict[str, Any]) -> None:
    runbook = ROOT / alert["annotations"]["runbook"]
    assert runbook.is_file()
    row = re.search(rf"^\| `{alert['alert']}` \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row, "not on the page"
    assert f"({runbook.name}" in row[0]


DECLARATION = re.compile(r"\b(?:counter|gauge|histogram)\(\s*\"(\w+)\"")
ON_THE_PAGE = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \|$", re.MULTILINE)


@EACH_MEASURED
def test_every_metric_is_on_the_page_with_the_alerts_that_look_at_it(service: str) -> None:
    """The page's table has a row for each metric of each service, and no row of a metric that is gone."""
    page = PAGE.read_text(encoding="utf-8").partition("## Every metric")[2]
    rows = {name: set(re.findall(r"`(\w+)`", alerts)) for name, _, alerts in ON_THE_PAGE.findall(page)}
    named = ("fleet_", f"{service}_")
    served = {
        name
        for name in declared("fleet", service if service == CONSOLE else f"services/{service}")
        if name.startswith(named)
    }
    listed = {name for name in rows if name.startswith(named)}
    assert listed == served
    for name in served:
        assert rows[name] == {a["alert"] for a in ALERTS if name in {n for n, _ in selectors(a["expr"])}}


def declared(*folders: str) -> set[str]:
    """The metrics that the code declares, also those whose series come with their events."""
    sources = [path.read_text(encoding="utf-8") for name in folders for path in (ROOT / name).rglob("*.py")]
    return {name for source in sources for name in DECLARATION.findall(source)}
