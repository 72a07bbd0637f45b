"""Kafka's users and rights follow from the table of topics, and the committed script says the same."""

import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

import pytest

from hobbs.shell.kafka_script import script
from schemas.kafka_rights import (
    Operation,
    Resource,
    Right,
    describes,
    every_right,
    readers,
    reads,
    rights_of,
    user_of,
    writes,
)
from schemas.services import CONSOLE, KAFKA_USERS, MIGRATE, OPERATOR, SCHEDULING, SERVICES
from schemas.shadow import BOOK, SHADOW, live_topics, refused_prefix, shadow_rights
from schemas.topics import TOPICS
from services.payouts.deciding import LEDGERS_TOPICS
from services.receivables.app import BILLINGS_TOPICS
from services.receivables.app import LEDGERS_TOPICS as RECEIVABLES_WAITS_FOR

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "kafka" / "acls.sh"
RESOURCES: Final[dict[str, Resource]] = {"--topic": "topic", "--group": "group"}


def test_the_committed_script_is_the_tables() -> None:
    assert SCRIPT.read_text(encoding="utf-8") == script(), (
        "run `.venv/bin/hobbs kafka acls > deploy/kafka/acls.sh`"
    )


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """Kafka's tools replaced by ones that write down how they were called: the environment to run them in."""
    for tool in ("kafka-acls.sh", "kafka-configs.sh"):
        (tmp_path / tool).write_text(f'#!/bin/sh\necho {tool} "$@" >> "{tmp_path}/calls"\n')
        (tmp_path / tool).chmod(0o755)
    (tmp_path / "gateway_kafka_password").write_text("secret\n")
    where = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PASSWORDS": str(tmp_path)}
    return where | {"BOOTSTRAP": "b:1", "ADMIN_CONFIG": "a", "GRANTED": str(tmp_path / "granted")}


def calls_of(script: Path, tools: dict[str, str]) -> list[list[str]]:
    """Run a script; the calls it made."""
    written = Path(tools["PASSWORDS"]) / "calls"
    written.unlink(missing_ok=True)
    done = subprocess.run(["/bin/sh", script], env=tools, capture_output=True, text=True, check=True)
    calls = written.read_text() if written.exists() else ""
    assert "secret" not in done.stdout + done.stderr + calls
    return [shlex.split(re.sub(r"(?<=--add-config-file )\S+", "FILE", line)) for line in calls.splitlines()]


@pytest.mark.parametrize("prefix", ["", "north."])
def test_the_script_grants_exactly_the_rights_and_makes_each_user(tools: dict[str, str], prefix: str) -> None:
    calls = calls_of(SCRIPT, tools | {"PREFIX": prefix})
    made = [call for call in calls if call[0] == "kafka-configs.sh"]
    assert [call[-1] for call in made] == [user_of("gateway", prefix)]
    granted = [right for call in calls if call[0] == "kafka-acls.sh" for right in _rights(call)]
    assert granted == every_right(prefix)


def test_a_script_for_a_prefix_has_it_without_being_told(tools: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "acls.sh").write_text(script("north."))
    assert calls_of(tmp_path / "acls.sh", tools) == calls_of(SCRIPT, tools | {"PREFIX": "north."})


def test_compose_grants_again_only_when_something_changed(tools: dict[str, str]) -> None:
    """The container's own script, which finds Kafka's tools on its path."""
    grant = SCRIPT.with_name("grant.sh")
    tools |= {"PREFIX": ""}
    all_calls = calls_of(grant, tools)
    assert all_calls == calls_of(SCRIPT, tools)
    assert calls_of(grant, tools) == []
    (Path(tools["PASSWORDS"]) / "gateway_kafka_password").write_text("secret too\n")
    assert calls_of(grant, tools) == all_calls
    assert len(calls_of(grant, tools | {"PREFIX": "north."})) == len(all_calls)


def _rights(call: list[str]) -> list[Right]:
    words = dict(pairwise(call))
    user = re.fullmatch(r"User:(\S+)", words["--allow-principal"])
    operation = cast(Operation, words["--operation"])
    assert user is not None
    assert ("--add" in call, words["--bootstrap-server"]) == (True, "b:1")
    return [
        Right(user=user[1], operation=operation, resource=RESOURCES[option], name=name)
        for option, name in pairwise(call)
        if option in RESOURCES
    ]


def test_two_deployments_share_no_user_topic_or_group() -> None:
    north, south = ({(r.user, r.name) for r in every_right(prefix)} for prefix in ("north.", "south."))
    assert not {user for user, _ in north} & {user for user, _ in south}
    assert not {name for _, name in north} & {name for _, name in south}


def test_every_topic_has_a_publisher_who_has_a_login() -> None:
    for topic in TOPICS.values():
        assert {topic.owner, *topic.also_from} <= set(KAFKA_USERS)


def test_only_migrate_makes_topics_and_it_reads_and_writes_none() -> None:
    assert (reads(MIGRATE), writes(MIGRATE)) == ([], [])
    makers = {right.user for right in every_right() if right.operation == "Create"}
    assert makers == {user_of(MIGRATE)}


def test_a_scheduler_publishes_flights_and_sees_nothing_else() -> None:
    assert {(right.operation, right.name) for right in rights_of(SCHEDULING)} == {
        ("Write", "flight.completed"),
        ("Write", "flight.corrected"),
        ("Write", "flight.cancelled"),
        ("Write", "flight.dispatched"),
    }


def test_people_ask_and_hear_but_write_no_books() -> None:
    assert {"decision.requested", "school.configured"} <= set(writes(OPERATOR))
    assert not {"journal.requested", "journal.posted", "stripe.webhook", "decision.taken"} & set(
        writes(OPERATOR)
    )
    assert "decision.taken" in reads(OPERATOR)
    assert set(writes(CONSOLE)) == {"decision.requested", "decision.taken", "console.dead", "console.redrive"}


def test_the_console_sees_how_far_every_reader_is_and_reads_no_more() -> None:
    assert set(reads(CONSOLE)) == {"decision.requested", "decision.taken", "console.redrive"}
    read_by_somebody = {topic.name for topic in TOPICS.values() if readers(topic)}
    assert {*describes(CONSOLE), *reads(CONSOLE), *writes(CONSOLE)} == read_by_somebody | {"console.dead"}
    groups = {right.name for right in rights_of(CONSOLE) if right.resource == "group"}
    assert {name for name in groups if not name.startswith("console.")} == {
        f"{service}.decision.requested" for service in SERVICES
    }


def test_who_waits_for_others_topics_may_measure_them() -> None:
    asked = {"journal.requested", "hold.requested"}  # on these it publishes
    waited_for = {*BILLINGS_TOPICS, *RECEIVABLES_WAITS_FOR}
    assert {*describes("receivables"), *asked} == waited_for
    assert {*describes("payouts"), "journal.requested"} == set(LEDGERS_TOPICS)  # on that one it publishes
    others = set(SERVICES) - {"receivables"} - {"payouts"}
    assert not any(describes(service) for service in others)


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_reads_dead_letters_or_joins_anothers_group(service: str) -> None:
    groups = {right.name for right in rights_of(service) if right.resource == "group"}
    assert groups == {f"{service}.{topic}" for topic in reads(service)}
    assert not [name for name in reads(service) if name.endswith(".dead")]


def test_a_shadow_writes_nothing_that_a_live_deployment_reads() -> None:
    """Whatever its prefix; one that would make a live topic of its own is refused."""
    live = {right.name for right in every_right() if right.resource == "topic"}
    for own_book in (False, True):
        rights = shadow_rights("shadow.", "", own_book=own_book)
        own = [right for right in rights if right.user == user_of(SHADOW, "shadow.")]
        written = {right.name for right in own if right.operation == "Write"}
        assert written
        assert not written & live
        groups = {right.name for right in own if right.resource == "group"}
        assert groups
        assert not groups & {right.name for right in every_right() if right.resource == "group"}
        looked_at = {right.name for right in own if right.operation == "Read"} & live
        assert looked_at == {*live_topics(own_book=own_book)}
        assert (BOOK in looked_at) is not own_book
    assert refused_prefix("shadow.", "") is None
    assert refused_prefix("", "") is not None
    assert refused_prefix("north.", "north.") is not None
