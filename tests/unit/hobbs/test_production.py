"""What is not fit for a live key is listed with a way out; an installation that is fit lists nothing."""

import re
from pathlib import Path

import pytest

from fleet.folders import ROOT
from hobbs.commands.doctor import DoctorSettings
from hobbs.doctor.production import examine_production

URL = "postgresql://hobbs_operator:p@postgres.school.example/hobbs?sslmode=verify-full"
FIT = {
    "HOBBS_KAFKA_BOOTSTRAP": "kafka.school.example:9093",
    "HOBBS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "HOBBS_KAFKA_USERNAME": "hobbs_operator",
    "HOBBS_STRIPE_LIVEMODE": "true",
}
SECRETS = {
    "HOBBS_DATABASE_URL_FILE": URL,
    "HOBBS_KAFKA_PASSWORD_FILE": "a password",
    "HOBBS_STRIPE_SECRET_KEY_FILE": "rk_live_made_up",
    "HOBBS_ATTESTATION_KEYS_FILE": "k" * 32,
    "HOBBS_PUBLISHERS_KEYS_FILE": f"billing/journal.requested:{'k' * 32}",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As docker-compose.yml gives it: secrets as files, everything else by name."""
    tmp_path.chmod(0o755)
    files: dict[str, str] = {}
    for name, value in SECRETS.items():
        path = tmp_path / name.lower()
        path.write_text(value)
        path.chmod(0o400)
        files[name] = str(path)
    return FIT | files


def listed(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    findings = examine_production(DoctorSettings(), environment)
    pages = [re.search(r"docs/operations/\w+\.md", finding.fix) for finding in findings]
    assert all(page and (ROOT / page[0]).is_file() for page in pages)
    return [finding.found for finding in findings]


def test_a_fit_installation_lists_nothing(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed(environment, monkeypatch) == []


def test_brokers_on_a_network_of_their_own_need_logins_and_no_tls(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = {"HOBBS_KAFKA_PRIVATE_HOSTS": "kafka.school.example"}
    assert (
        listed(environment | private | {"HOBBS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, monkeypatch) == []
    )
    asked = listed(environment | private | {"HOBBS_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, monkeypatch)
    assert ["ask nobody" in asked[0], "without a login" in asked[1]] == [True, True]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"HOBBS_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "ask nobody who writes"),
        ({"HOBBS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "in clear"),
        ({"HOBBS_STRIPE_API_BASE": "http://127.0.0.1:1"}, "asked at http://127.0.0.1:1"),
        ({"HOBBS_STRIPE_LIVEMODE": "false"}, "another mode"),
        ({"HOBBS_CONSOLE_LOGIN": "local"}, "chooses who they are"),
        ({"HOBBS_GRAFANA_PASSWORD": "secret"}, "HOBBS_GRAFANA_PASSWORD is in the environment"),
        ({"HOBBS_STRIPE_WEBHOOK_SECRETS": "whsec_made_up"}, "HOBBS_STRIPE_WEBHOOK_SECRETS is in the env"),
    ],
)
def test_each_deviation_is_listed_alone(
    changed: dict[str, str], said: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [found] = listed(environment | changed, monkeypatch)
    assert said in found
    assert "whsec_made_up" not in found


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("HOBBS_STRIPE_SECRET_KEY_FILE", "sk_live_made_up", "may do everything"),
        ("HOBBS_ATTESTATION_KEYS_FILE", None, "nothing proves who wrote"),
        ("HOBBS_PUBLISHERS_KEYS_FILE", None, "nothing proves which service"),
        ("HOBBS_DATABASE_URL_FILE", URL.replace("verify-full", "verify-ca"), "sslmode=verify-ca"),
    ],
)
def test_each_unfit_secret_is_listed_alone(
    name: str,
    content: str | None,
    said: str,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if content is None:
        del environment[name]
    else:
        path = Path(environment[name])
        path.chmod(0o600)
        path.write_text(content)
        path.chmod(0o400)
    [found] = listed(environment, monkeypatch)
    assert said in found
    assert "made_up" not in found


def test_a_secrets_file_that_others_may_read_is_listed(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(environment["HOBBS_KAFKA_PASSWORD_FILE"]).chmod(0o444)
    [found] = listed(environment, monkeypatch)
    assert found.startswith("HOBBS_KAFKA_PASSWORD_FILE: others may use")


def test_a_secrets_file_behind_a_folder_that_nobody_else_enters_is_fit(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `make secrets` leaves them: the containers' users read each by its own mount."""
    path = Path(environment["HOBBS_KAFKA_PASSWORD_FILE"])
    path.chmod(0o444)
    path.parent.chmod(0o700)
    assert listed(environment, monkeypatch) == []
