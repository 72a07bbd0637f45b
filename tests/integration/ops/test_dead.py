"""`hobbs dead`: each letter can be found, looked at safely, sent again or closed; nothing happens unasked."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from fleet.database import Database
from schemas.services import SERVICES
from services.billing.desk.decisions import ACTIONS
from services.billing.handlers import bill_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_school
from tests.integration.ops.conftest import Hobbs, bury_unreadable
from tests.support.deciders import deciding
from tests.support.records import record

NOT_UTF8 = b'{"flight_id": "\xff\xfe", "student": "Ann Example"}'


@pytest.fixture
async def billing(open_db: OpenDatabase) -> Database:
    """Billing has two letters, the ledger one."""
    database = open_db("billing")
    await bury_unreadable(database, [record("flight.completed", NOT_UTF8, ce_id="", key="F1")])
    await bury_unreadable(database, [record("flight.corrected", None, ce_id="")])
    await bury_unreadable(open_db("ledger"), [record("journal.requested", b"[]", ce_id="")])
    return database


@pytest.fixture
async def workers(
    kafka: str, database_url: str, monkeypatch: pytest.MonkeyPatch, hobbs: Hobbs
) -> AsyncIterator[None]:
    """Billing and the ledger take decisions, and the command finds them."""
    async with deciding(kafka, database_url, {name: {} for name in SERVICES[:2]}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        yield


async def listed(hobbs: Hobbs, *filters: str) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = json.loads((await hobbs("dead", "list", *filters, "-o", "json")).stdout)
    return letters


async def shown(hobbs: Hobbs, letter_id: str, *options: str) -> dict[str, Any]:
    letter: dict[str, Any] = json.loads(
        (await hobbs("dead", "show", letter_id, *options, "-o", "json")).stdout
    )
    return letter


@pytest.mark.usefixtures("billing")
async def test_letters_of_every_service_are_listed_and_are_findings(hobbs: Hobbs) -> None:
    result = await hobbs("dead", "list", "-o", "json")
    assert result.exit_code == 1
    letters = json.loads(result.stdout)
    assert {(x["service"], x["topic"], x["reason"]) for x in letters} == {
        ("billing", "flight.completed", "not_utf8"),
        ("billing", "flight.corrected", "null_value"),
        ("ledger", "journal.requested", "not_an_object"),
    }


async def test_no_letters_is_no_finding(hobbs: Hobbs) -> None:
    result = await hobbs("dead", "list")
    assert (result.exit_code, "sentence" in result.stdout) == (0, True)


@pytest.mark.usefixtures("billing")
@pytest.mark.parametrize(
    ("filters", "reasons"),
    [
        (("--service", "ledger"), ["not_an_object"]),
        (("--reason", "null_value"), ["null_value"]),
        (("--topic", "flight.completed"), ["not_utf8"]),
        (("--service", "billing", "--topic", "journal.requested"), []),
        (("--state", "discarded"), []),
    ],
)
async def test_filters_choose_among_letters(
    hobbs: Hobbs, filters: tuple[str, ...], reasons: list[str]
) -> None:
    assert [letter["reason"] for letter in await listed(hobbs, *filters)] == reasons


@pytest.mark.usefixtures("billing")
async def test_a_list_that_is_cut_says_so(hobbs: Hobbs) -> None:
    result = await hobbs("dead", "list", "--most", "1")
    assert "billing: only the first 1 letters are shown" in result.stderr
    assert "only the first" not in (await hobbs("dead", "list")).stderr


async def test_an_unknown_service_is_a_usage_error(hobbs: Hobbs) -> None:
    assert (await hobbs("dead", "list", "--service", "biling")).exit_code == 2


@pytest.mark.usefixtures("billing")
async def test_a_payload_is_shown_only_when_asked_for_and_never_raw(hobbs: Hobbs) -> None:
    letter = (await listed(hobbs, "--reason", "not_utf8"))[0]
    hidden = await hobbs("dead", "show", letter["id"])
    assert hidden.exit_code == 0
    assert "Ann Example" not in hidden.stdout
    assert "refused not_utf8: the record is not UTF-8: bad byte at position 15" in hidden.stdout
    whole = await shown(hobbs, letter["id"], "--payload")
    assert whole["value"] == r'{"flight_id": "\xff\xfe", "student": "Ann Example"}'
    assert whole["history"][0]["reason"] == "not_utf8"
    assert whole["headers"]["ce_type"] == "flight.completed"


async def test_a_payload_cannot_steer_the_terminal(hobbs: Hobbs, open_db: OpenDatabase) -> None:
    await bury_unreadable(open_db("billing"), [record("flight.completed", b"\x1b[2J[red]", ce_id="")])
    result = await hobbs("dead", "show", (await listed(hobbs))[0]["id"], "--payload")
    assert "\x1b[2J" not in result.stdout
    assert r"\x1b[2J[red]" in result.stdout


async def test_a_letter_nobody_has_is_said_so(hobbs: Hobbs) -> None:
    result = await hobbs("dead", "show", "01890a5d-ac96-774b-bcce-b302099a8057")
    assert (result.exit_code, "there is no dead letter" in result.stderr) == (1, True)


@pytest.mark.usefixtures("workers", "billing")
async def test_a_dry_run_and_a_no_change_nothing(hobbs: Hobbs) -> None:
    before = await listed(hobbs)
    dry = await hobbs("dead", "redrive", "--all", "--dry-run")
    assert (dry.exit_code, "3 letters to redrive; nothing changed" in dry.stderr) == (0, True)
    assert (await hobbs("dead", "redrive", "--all", answer="n\n")).exit_code == 1
    assert (await hobbs("dead", "discard", "--all", "--why", "old", answer="n\n")).exit_code == 1
    assert await listed(hobbs) == before


@pytest.mark.usefixtures("workers", "billing")
async def test_a_dry_run_says_what_the_service_would_refuse(hobbs: Hobbs) -> None:
    dry = await hobbs("dead", "discard", "--all", "--why", "", "--dry-run")
    assert (dry.exit_code, "say why" in dry.stderr, "0 letters to discard" in dry.stderr) == (1, True, True)
    assert (await hobbs("dead", "discard", "--all", "--why", "", "--yes")).exit_code == 1
    assert len(await listed(hobbs)) == 3


@pytest.mark.usefixtures("billing")
@pytest.mark.parametrize("arguments", [(), ("01890a5d-ac96-774b-bcce-b302099a8057", "--all")])
async def test_redrive_wants_ids_or_all_and_not_both(hobbs: Hobbs, arguments: tuple[str, ...]) -> None:
    assert (await hobbs("dead", "redrive", *arguments)).exit_code == 2


@pytest.mark.usefixtures("workers", "billing")
async def test_a_redriven_letter_goes_to_its_services_own_topic_as_it_came(hobbs: Hobbs, kafka: str) -> None:
    result = await hobbs("dead", "redrive", "--all", "--topic", "flight.completed", "--yes", "--who", "ann")
    assert (result.exit_code, "1 letters redriven" in result.stderr) == (0, True)
    [sent] = await values_on(kafka, f"{os.environ['HOBBS_TOPIC_PREFIX']}billing.redrive", 1)
    assert sent == (b"F1", NOT_UTF8)
    [letter] = await listed(hobbs, "--state", "all", "--topic", "flight.completed")
    history = (await shown(hobbs, letter["id"]))["history"]
    assert [(step["what"], step.get("who")) for step in history[:2]] == [
        ("refused", None),
        ("redriven", "ann"),
    ]
    # This worker reads no flights: what came back to it is buried as the same letter.
    assert {x["reason"] for x in await listed(hobbs)} - {"no_such_topic"} == {"null_value", "not_an_object"}


@pytest.mark.usefixtures("workers", "billing")
async def test_a_discarded_letter_keeps_its_reason_and_can_still_be_redriven(hobbs: Hobbs) -> None:
    letter = (await listed(hobbs, "--reason", "null_value"))[0]
    assert (await hobbs("dead", "discard", letter["id"], "--why", "a tombstone", "-y")).exit_code == 0
    closed = await shown(hobbs, letter["id"])
    assert (closed["state"], closed["history"][-1]["why"]) == ("discarded", "a tombstone")
    assert letter["id"] not in {x["id"] for x in await listed(hobbs)}
    assert (await hobbs("dead", "redrive", letter["id"], "-y")).exit_code == 0


@pytest.mark.usefixtures("workers", "billing")
async def test_the_audit_says_who_decided_what_by_which_login_and_why(hobbs: Hobbs) -> None:
    letter = (await listed(hobbs, "--reason", "null_value"))[0]
    await hobbs("dead", "discard", letter["id"], "--why", "a tombstone", "-y", "--who", "ann")
    exported = await hobbs("audit", "export", "--from", "beginning", "--to", "now", "-o", "json")
    [row] = json.loads(exported.stdout)
    assert [row[name] for name in ("service", "action", "outcome", "who", "login", "asked_as", "why")] == [
        *("billing", "discard", "done", "ann", "hobbs_operator", "ann", "a tombstone")
    ]
    assert letter["id"] in row["effects"]


@pytest.mark.usefixtures("workers", "billing")
async def test_an_id_that_is_not_there_is_a_finding_and_the_others_still_go(hobbs: Hobbs) -> None:
    letter = (await listed(hobbs, "--reason", "null_value"))[0]
    result = await hobbs("dead", "redrive", letter["id"], "01890a5d-ac96-774b-bcce-b302099a8057", "-y")
    assert result.exit_code == 1
    assert "1 letters redriven" in result.stderr
    assert "01890a5d-ac96-774b-bcce-b302099a8057: no such letter" in result.stderr


@pytest.mark.usefixtures("workers")
async def test_many_letters_are_redriven_whole(hobbs: Hobbs, open_db: OpenDatabase) -> None:
    await bury_unreadable(
        open_db("billing"), [record("flight.completed", b"{}", ce_id="") for _ in range(1_200)]
    )
    result = await hobbs("dead", "redrive", "--all", "-y", "-o", "csv")
    assert (result.exit_code, "1200 letters redriven" in result.stderr) == (0, True)
    assert len(result.stdout.splitlines()) == 1_201


@pytest.mark.usefixtures("billing")
async def test_a_worker_that_is_away_is_said(
    hobbs: Hobbs, kafka: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deciding(kafka, database_url, {"ledger": {}}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        monkeypatch.setattr("hobbs.shell.decisions.ANSWER_WITHIN_S", 1.0)
        result = await hobbs("dead", "redrive", "--all", "--service", "billing", "-y")
    assert result.exit_code == 1
    assert "the billing service did not answer within 1 s: is it running?" in result.stderr


async def values_on(kafka: str, topic: str, count: int) -> list[tuple[bytes | None, bytes | None]]:
    """The first records of a topic, key and value."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        return [(r.key, r.value) for r in [await consumer.getone() for _ in range(count)]]


async def test_a_refused_flight_is_corrected_and_told_again(
    hobbs: Hobbs, open_db: OpenDatabase, kafka: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_db("billing")
    await given_school(database)
    await bill_flights(database, [completed(aircraft="N364MB")])
    [letter] = await listed(hobbs)
    async with deciding(kafka, database_url, {"billing": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        asked = ("dead", "correct", letter["id"], "--why", "misspelt", "--set")
        for wrong in ("aircraft", "aircraft=N1\x00"):
            assert (await hobbs(*asked, wrong, "--yes")).exit_code != 0
        seen = await hobbs(*asked, "aircraft=N364MA", "--dry-run")
        assert (seen.exit_code, "-361.51" in seen.stdout) == (0, True), seen.output
        done = await hobbs(*asked, "aircraft=N364MA", "--yes")
        assert (done.exit_code, "told again" in done.output) == (0, True), done.output
        assert (await hobbs(*asked, "aircraft=N364MA", "--yes")).exit_code == 1, "it is closed"
    assert (await listed(hobbs, "--state", "discarded"))[0]["id"] == letter["id"]
