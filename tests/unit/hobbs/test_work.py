"""Which services a process may run: Stripe's key and what answers the internet only when somebody says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.precedence import NICE
from hobbs.commands.work import app
from hobbs.local import supervisor
from schemas.services import REGISTERED, SERVICES


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The services of each process that would be started."""
    started: list[list[str]] = []
    monkeypatch.setattr(supervisor, "work_here", started.append)
    return started


BEHIND = [service.name for service in REGISTERED if not service.http]
(DOOR,) = (service.name for service in REGISTERED if service.http)
(KEY,) = (service.name for service in REGISTERED if service.stripe_key)
ONE, OTHER = SERVICES[:2]


@pytest.mark.parametrize(
    ("arguments", "services"),
    [
        ([ONE], [ONE]),
        ([f"{OTHER},{ONE}"], [ONE, OTHER]),
        ([OTHER, ONE, OTHER], [ONE, OTHER]),
        (["all"], BEHIND),
        (["all", KEY], BEHIND),
        ([f"{DOOR},{ONE}"], [ONE, DOOR]),
        ([f"all,{DOOR}", "--key-behind-http"], list(SERVICES)),
    ],
)
def test_a_process_runs_what_is_named_once_each(
    started: list[list[str]], arguments: list[str], services: list[str]
) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert started == [services]


@pytest.mark.parametrize("arguments", [[f"all,{DOOR}"], [DOOR, KEY], [f"{KEY},{DOOR},{ONE}"]])
def test_stripes_key_does_not_share_a_process_with_the_gateway_unasked(
    started: list[list[str]], arguments: list[str]
) -> None:
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert started == []


@pytest.mark.parametrize(("services", "gives_way"), [([ONE], True), (BEHIND, True), ([DOOR], False)])
def test_what_serves_no_http_gives_way(
    monkeypatch: pytest.MonkeyPatch, services: list[str], gives_way: bool
) -> None:
    said: list[str] = []
    monkeypatch.setattr(supervisor, "give_way", lambda: said.append("after you"))
    monkeypatch.setattr(supervisor, "run_here", lambda build: said.append("works"))
    supervisor.work_here(services)
    assert said == (["after you"] if gives_way else []) + ["works"]


@pytest.mark.skipif(sys.platform != "linux", reason="autogroups are Linux's")
@pytest.mark.parametrize("leads", [True, False])
def test_a_process_says_it_of_its_session_when_it_leads_one(leads: bool) -> None:
    program = "import os; from fleet.precedence import *; give_way(); print(os.nice(0), open(_OF).read())"
    file = "/proc/self/autogroup"
    program = program.replace("_OF", repr(file))
    before = Path(file).read_text() if Path(file).exists() else ""
    if not before:
        pytest.skip("this kernel has no autogroups")
    ran = subprocess.run(
        [sys.executable, "-c", program], start_new_session=leads, capture_output=True, text=True, check=True
    )
    nice, _, session = ran.stdout.partition(" ")
    assert int(nice) == min(os.nice(0) + NICE, 19)
    assert session.endswith(f"nice {NICE}\n\n") if leads else session.strip() == before.strip()
