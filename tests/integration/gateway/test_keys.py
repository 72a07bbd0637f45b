"""API keys are decided about: the gateway judges, a command only asks, and no key travels."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from fleet.database import Database
from fleet.decisions import REQUESTED, take_decisions
from fleet.envelope import Record
from fleet.settings import Settings
from hobbs.flights.api_keys import new_key
from hobbs.shell.decisions import Question, ask
from services.gateway.desk.decisions import ACTIONS
from services.gateway.desk.reads import KeyListed, list_keys
from services.gateway.domain.api_keys import FLIGHTS_WRITE, SCOPES
from tests.integration.ops.conftest import Hobbs
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision

CREATE, REVOKE = ("flights", "keys", "create"), ("flights", "keys", "revoke")


@pytest.fixture
async def prefix(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A gateway that takes decisions; the command line is told the same world."""
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    async with deciding(kafka, database_url, {"gateway": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        yield prefix


def creating(name: str = "one", **changed: Any) -> Record:
    made = new_key()
    parameters = {"key_hash": made.key_hash.hex(), "hint": made.hint, "scopes": list(SCOPES)} | changed
    return decision("gateway", "create_key", name, parameters)


async def keys(database: Database) -> list[KeyListed]:
    async with database.transaction() as tx:
        return await list_keys(tx)


@pytest.mark.usefixtures("prefix")
async def test_keys_are_made_listed_and_revoked(hobbs: Hobbs) -> None:
    made = json.loads((await hobbs(*CREATE, "one", "--days", "30", "-o", "json")).stdout)
    again = await hobbs(*CREATE, "one")
    assert (again.exit_code, "there is a key named 'one'" in again.stderr) == (1, True)
    assert made["key"] not in again.stdout
    listed = await hobbs("flights", "keys", "list", "-o", "json")
    assert [(row["name"], row["scopes"]) for row in json.loads(listed.stdout)] == [("one", " ".join(SCOPES))]
    [row] = json.loads(listed.stdout)
    good = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["created_at"])
    assert abs(good - timedelta(days=30)) < timedelta(minutes=1)
    assert made["key"] not in listed.stdout
    assert (await hobbs(*REVOKE, "one", answer="n\n")).exit_code == 1
    assert (await hobbs(*REVOKE, "one", "--dry-run")).exit_code == 0
    assert (await hobbs(*REVOKE, "one", "--yes", "--who", "ben")).exit_code == 0
    gone = await hobbs(*REVOKE, "one", "--yes")
    assert (gone.exit_code, "no living key is named 'one'" in gone.stderr) == (1, True)
    assert json.loads((await hobbs("flights", "keys", "list", "-o", "json")).stdout) == []
    (revoked,) = json.loads((await hobbs("flights", "keys", "list", "--all", "-o", "json")).stdout)
    assert revoked["revoked_by"] == "ben"


@pytest.mark.usefixtures("prefix")
async def test_a_dry_run_makes_and_shows_no_key(hobbs: Hobbs, open_db: Any) -> None:
    dry = await hobbs(*CREATE, "one", "--dry-run")
    assert (dry.exit_code, "hfk_" in dry.stdout, "dry run" in dry.stderr) == (0, False, True)
    assert await keys(open_db("gateway")) == []


async def test_only_the_hash_of_a_key_is_in_a_topic(prefix: str, kafka: str, hobbs: Hobbs) -> None:
    made = json.loads((await hobbs(*CREATE, "one", "-o", "json")).stdout)["key"]
    said = b"".join([r async for r in values(kafka, prefix + REQUESTED)])
    assert b"create_key" in said
    assert made.encode() not in said
    assert made[len("hfk_") + 7 :].encode() not in said


async def values(kafka: str, topic: str) -> AsyncIterator[bytes]:
    """Every record's value, from the topic's beginning to its end."""
    place = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        ends = await consumer.end_offsets([place])
        while await consumer.position(place) < ends[place]:
            yield (await consumer.getone()).value


@pytest.mark.usefixtures("hobbs")
async def test_a_gateway_that_is_away_is_said_and_no_key_is_shown(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setattr("hobbs.shell.decisions.ANSWER_WITHIN_S", 1.0)
    async with deciding(kafka, database_url, {"billing": {}}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        away = await hobbs(*CREATE, "one")
    assert (away.exit_code, "hfk_" in away.stdout) == (1, False)
    assert "the gateway service did not answer" in away.stderr


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"key_hash": "zz"}, "key_hash must be"),
        ({"key_hash": "00" * 31}, "key_hash must be"),
        ({"key_hash": None}, "key_hash must be"),
        ({"hint": "hfk_"}, "hint must be"),
        ({"hint": new_key().key}, "hint must be"),
        ({"hint": 7}, "hint must be"),
        ({"scopes": []}, "scopes must be"),
        ({"scopes": ["flights:write", {}]}, "scopes must be"),
        ({"scopes": "flights:write"}, "scopes must be"),
        ({"days": 0}, "days must be"),
        ({"days": True}, "days must be"),
        ({"days": "30"}, "days must be"),
    ],
)
async def test_odd_parameters_are_refused_with_a_sentence(
    gateway_db: Database, changed: dict[str, Any], sentence: str
) -> None:
    answer = await answered(gateway_db, ACTIONS, creating(**changed))
    assert (answer.outcome, sentence in answer.sentence) == ("refused", True)
    assert await keys(gateway_db) == []


async def test_a_key_that_is_known_under_another_name_is_refused(gateway_db: Database) -> None:
    same = {"key_hash": new_key().key_hash.hex()}
    assert (await answered(gateway_db, ACTIONS, creating("one", **same))).outcome == "done"
    assert (await answered(gateway_db, ACTIONS, creating("two", **same))).outcome == "refused"
    assert [key.name for key in await keys(gateway_db)] == ["one"]


async def test_a_key_has_the_scopes_it_was_made_with_and_its_maker_s_name(gateway_db: Database) -> None:
    answer = await answered(gateway_db, ACTIONS, creating(scopes=[FLIGHTS_WRITE]))
    assert (answer.outcome, answer.sentence) == ("done", "the key 'one' may flights:write")
    assert [(key.scopes, key.created_by) for key in await keys(gateway_db)] == [([FLIGHTS_WRITE], "ann")]


async def test_the_same_decision_twice_makes_one_key(gateway_db: Database) -> None:
    asked = creating()
    await take_decisions(gateway_db, ACTIONS, [asked, asked])
    assert (await answered(gateway_db, ACTIONS, asked)).outcome == "done"
    assert len(await keys(gateway_db)) == 1


async def test_somebody_who_is_no_operator_makes_no_key(gateway_db: Database) -> None:
    asked = decision("gateway", "revoke_key", "one", roles=("finance",))
    answer = await answered(gateway_db, ACTIONS, asked)
    assert (answer.outcome, "needs one of the roles operator" in answer.sentence) == ("refused", True)


async def test_two_who_ask_for_one_name_at_once_get_one_key(
    prefix: str, kafka: str, gateway_db: Database
) -> None:
    settings = Settings(database_url=SecretStr("postgresql://x"), kafka_bootstrap=kafka, topic_prefix=prefix)

    async def create(who: str) -> str:
        made = new_key()
        parameters = {"key_hash": made.key_hash.hex(), "hint": made.hint, "scopes": [FLIGHTS_WRITE]}
        question = Question(
            service="gateway", action="create_key", object="one", who=who, why="", parameters=parameters
        )
        return (await ask(settings, question)).outcome

    assert sorted(await asyncio.gather(create("ann"), create("ben"))) == ["done", "refused"]
    assert len(await keys(gateway_db)) == 1
