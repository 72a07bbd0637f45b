"""The generated files are current, valid by their standards, and agree with the models."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from schemas.dead_letters import Redriven
from schemas.generate import GENERATED, generated_files, schema_file, stale_files, topic_schema, write_files
from schemas.topics import TOPICS, Topic

ASYNCAPI_SCHEMA = json.loads(
    Path(__file__).with_name("asyncapi-3.0.0.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GENERATED / "asyncapi.json").read_text(encoding="utf-8"))
    return loaded


def test_the_committed_files_match_the_models() -> None:
    assert list(stale_files(generated_files())) == [], "run `make schemas`"


def test_generating_twice_gives_the_same_bytes() -> None:
    assert generated_files() == generated_files()


def test_stale_missing_and_orphaned_files_are_named_and_repaired(tmp_path: Path) -> None:
    wanted = generated_files()
    write_files(wanted, tmp_path)
    (tmp_path / "flight.completed.schema.json").write_text("{}")
    (tmp_path / "gone.schema.json").write_text("{}")
    (tmp_path / "journal.posted.schema.json").unlink()
    stale = ["flight.completed.schema.json", "gone.schema.json", "journal.posted.schema.json"]
    assert list(stale_files(wanted, tmp_path)) == stale
    write_files(wanted, tmp_path)
    assert list(stale_files(wanted, tmp_path)) == []


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_each_json_schema_is_valid_and_takes_its_examples(topic: Topic) -> None:
    schema = json.loads((GENERATED / schema_file(topic.name)).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for example in schema["examples"]:
        validator.validate(example)
        assert topic.model is Redriven or not validator.is_valid({}), "an empty event must not pass"


def test_the_asyncapi_document_follows_asyncapis_own_schema(document: dict[str, Any]) -> None:
    errors = [
        f"{list(error.path)}: {error.message}"
        for error in Draft7Validator(ASYNCAPI_SCHEMA).iter_errors(document)
    ]
    assert errors == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda doc: doc.pop("info"),
        lambda doc: doc["operations"]["billing_consumes_flight_completed"].update(action="reads"),
        lambda doc: doc["channels"]["flight_completed"].update(messages=[]),
    ],
    ids=["no info", "unknown action", "messages is a list"],
)
def test_asyncapis_schema_refuses_a_spoiled_document(document: dict[str, Any], spoil: Any) -> None:
    spoiled = copy.deepcopy(document)
    spoil(spoiled)
    assert not Draft7Validator(ASYNCAPI_SCHEMA).is_valid(spoiled)


def test_every_reference_in_the_asyncapi_document_leads_somewhere(document: dict[str, Any]) -> None:
    references = _references(document)
    assert len(references) > 100
    for reference in references:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_asyncapi_document_names_every_publisher_and_consumer(document: dict[str, Any]) -> None:
    documented = {
        (op["tags"][0]["name"], op["action"], op["channel"]["$ref"]) for op in document["operations"].values()
    }
    expected = set()
    for topic in TOPICS.values():
        channel = f"#/channels/{topic.name.replace('.', '_')}"
        expected |= {(who, "send", channel) for who in (topic.owner, *topic.also_from)}
        expected |= {(who, "receive", channel) for who in topic.consumers}
    assert documented == expected
    assert {channel["address"] for channel in document["channels"].values()} == TOPICS.keys()


def test_the_kafka_facts_of_a_topic_travel_with_its_schema() -> None:
    facts = topic_schema(TOPICS["journal.requested"])["x-kafka"]
    assert (facts["key"], facts["partitions"], facts["consumers"]) == ("source", 12, ["ledger"])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _references(value)]
    if isinstance(node, list):
        return [ref for item in node for ref in _references(item)]
    return []
