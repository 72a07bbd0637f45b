"""Which services a process may run: Stripe's key and what answers the internet only when somebody says so."""

import pytest
from typer.testing import CliRunner

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
