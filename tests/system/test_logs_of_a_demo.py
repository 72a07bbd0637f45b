"""The logs of the services, at their lowest level, contain no secret and no personal data.

It searches the undisturbed run: 98 flights, cards, onboarding, forged and stale webhooks, refused flights.
"""

import json
from collections.abc import Iterator

import pytest

from hobbs.local.fleet_processes import Fleet
from schemas.services import SERVICES
from tests.support.leaks import ANY_ADDRESS, ANY_SECRET, leaks, names_in_the_school
from tests.system.conftest import Run


@pytest.fixture
def logs(undisturbed: Run) -> dict[str, str]:
    """What each process wrote."""
    folder = undisturbed.fleet.folder / "logs"
    return {process: (folder / f"{process}.log").read_text() for process in undisturbed.fleet.processes}


def test_every_line_of_a_log_is_one_json_object_and_names_its_service(
    undisturbed: Run, logs: dict[str, str]
) -> None:
    for process, services in undisturbed.fleet.processes.items():
        lines = [json.loads(line) for line in logs[process].splitlines()]
        assert {line["service"] for line in lines} == set(services)
        for line in lines:
            assert line["service"] in line["logger"] or not line["logger"].startswith("services.")


def test_the_logs_are_of_a_run_from_beginning_to_end(undisturbed: Run, logs: dict[str, str]) -> None:
    for process, services in undisturbed.fleet.processes.items():
        lines = [json.loads(line) for line in logs[process].splitlines()]
        for service in services:
            said = [line["message"] for line in lines if line["service"] == service]
            assert (said[0], said[-1]) == ("started", "stopped")
    assert '"level":"debug"' in "".join(logs.values())
    assert "webhook refused" in logs["gateway"]


def test_nothing_fails_in_a_run_that_nobody_disturbs(logs: dict[str, str]) -> None:
    """A loop that fails each time it runs says so, and is tried again for ever: nothing else shows it.

    The Kafka client's own errors are left out: it says one while a new broker makes its first group.
    """
    lines = [json.loads(line) for text in logs.values() for line in text.splitlines()]
    own = [line for line in lines if not line["logger"].startswith("aiokafka")]
    failed = {(line["service"], line["message"]) for line in own if line["level"] in ("error", "critical")}
    assert failed == set()


def test_no_log_holds_a_secret(undisturbed: Run, logs: dict[str, str]) -> None:
    secrets = set(secrets_of(undisturbed.fleet))
    assert len(secrets) > len(SERVICES)
    assert {service: leaks(text, secrets, ANY_SECRET) for service, text in logs.items()} == nothing_in(logs)


def test_no_log_names_a_person(logs: dict[str, str]) -> None:
    people = set(names_in_the_school())
    assert {"Robin Whitaker", "Whitaker", "robin@example.org"} <= people
    assert {service: leaks(text, people, ANY_ADDRESS) for service, text in logs.items()} == nothing_in(logs)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"message":"paid robin whitaker"}', {"Whitaker"}),
        ('{"error":"to someone@else.example"}', {"someone@else.example"}),
        ('{"error":"postgresql://hobbs_ledger:pw@127.0.0.1:5432/hobbs"}', {"postgresql://hobbs_ledger:pw@"}),
        ('{"key":"sk_live_123"}', {"sk_live_123"}),
        ('{"message":"started","topic":"flight.completed"}', set()),
    ],
)
def test_the_search_finds_secrets_and_people(text: str, found: set[str]) -> None:
    assert leaks(text, {"Whitaker"}, ANY_ADDRESS) | leaks(text, set(), ANY_SECRET) == found


def nothing_in(logs: dict[str, str]) -> dict[str, set[str]]:
    return {service: set() for service in logs}


def secrets_of(fleet: Fleet) -> Iterator[str]:
    yield fleet.stripe_secret_key
    yield from fleet.webhook_secrets.values()
    for login, password in fleet.passwords.items():
        yield password
        yield fleet.database_url(login)
    yield fleet.owner_url
