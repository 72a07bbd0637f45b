"""Docker's loader (compose-go, through Go's module proxy) accepts the file and reads it as intended."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas.services import SERVICES
from tests.contract.deploy.conftest import COMPOSE, ENV_EXAMPLE

CHECK = Path(__file__).with_name("compose_check")
NOT_A_VERDICT = (
    "dial tcp",
    "no such host",
    "lookup ",
    "proxyconnect",
    "toolchain not available",
    "i/o timeout",
)


def understood(compose: Path, *profiles: str) -> subprocess.CompletedProcess[str]:
    go = shutil.which("go")
    if go is None:
        pytest.skip("no go on the PATH: Docker's compose parser was not run")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOBBS_", "COMPOSE_"))}
    result = subprocess.run(
        [go, "run", "-gcflags=all=-N -l", ".", str(compose), str(ENV_EXAMPLE), *profiles],
        cwd=CHECK,
        env=environment | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if result.returncode and any(word in result.stderr for word in NOT_A_VERDICT):
        pytest.skip(f"compose-go cannot be fetched or built here: {result.stderr.splitlines()[-1]}")
    return result


def test_dockers_parser_accepts_the_compose_file_with_every_profile() -> None:
    result = understood(COMPOSE, "simulator", "operator", "replay")
    assert result.returncode == 0, result.stderr
    project: dict[str, Any] = json.loads(result.stdout)
    others = {"postgres", "kafka", "migrate", "simulator", "operator", "replay"}
    assert {*SERVICES, *others} <= project["services"].keys()
    payouts = project["services"]["payouts"]
    assert payouts["environment"]["HOBBS_STRIPE_API_BASE"] == "http://127.0.0.1:12111"
    assert payouts["stop_grace_period"] == "30s"
    assert payouts["healthcheck"]["interval"] == "10s"
    gateway = project["services"]["gateway"]["ports"][0]
    assert (gateway["host_ip"], gateway["published"], gateway["target"]) == ("127.0.0.1", "8080", 8080)


def test_without_a_profile_neither_simulator_nor_operator_starts() -> None:
    result = understood(COMPOSE)
    assert result.returncode == 0, result.stderr
    expected = {*SERVICES, "postgres", "kafka", "kafka-rights", "migrate"}
    assert json.loads(result.stdout)["services"].keys() == expected


def test_dockers_parser_refuses_a_broken_file(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("stop_grace_period:", "stop_grace_periods:"))
    result = understood(broken)
    assert result.returncode == 1
    assert "stop_grace_periods" in result.stderr
