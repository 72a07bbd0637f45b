"""Every topic has a model that reads its examples, a key, an owner and known consumers."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.dead_letters import Redriven
from schemas.generate import topic_schema
from schemas.services import CONSOLE, DECIDE, OPERATOR, SCHEDULING, SERVICES
from schemas.topics import TOPICS, Topic

PUBLISHERS = {*DECIDE, SCHEDULING, OPERATOR}
KEYED_BY_A_CONSTANT = {"<service>/<object>", "school", "balance", "the Stripe object's id"}


def examples(topic: Topic) -> list[dict[str, Any]]:
    found = topic_schema(topic).get("examples", [])
    return list(found)


EACH_TOPIC = pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
# All but those that carry other topics' records, whatever these are.
EACH_WITH_FIELDS = pytest.mark.parametrize(
    "topic", [t for t in TOPICS.values() if t.model is not Redriven], ids=lambda topic: topic.name
)


@EACH_TOPIC
def test_every_topic_has_an_example(topic: Topic) -> None:
    assert examples(topic), f"{topic.name}: {topic.model.__name__} has no example"


@EACH_TOPIC
def test_an_example_is_read_and_written_back_without_loss(topic: Topic) -> None:
    for example in examples(topic):
        event = topic.model.model_validate_json(json.dumps(example))
        again = topic.model.model_validate_json(event.model_dump_json())
        assert again == event
        assert not example.keys() - topic.model.model_fields.keys(), (
            "an example names a field the model lacks"
        )


@EACH_TOPIC
def test_a_reader_ignores_fields_it_does_not_know(topic: Topic) -> None:
    for example in examples(topic):
        event = topic.model.model_validate(example | {"added_in_a_later_release": {"a": 1}})
        assert event == topic.model.model_validate(example)
        assert not hasattr(event, "added_in_a_later_release")


@EACH_TOPIC
def test_every_required_field_is_refused_when_missing(topic: Topic) -> None:
    for example in examples(topic):
        for name, field in topic.model.model_fields.items():
            if field.is_required():
                assert _refuses(topic.model, {k: v for k, v in example.items() if k != name}), name


@EACH_WITH_FIELDS
def test_the_key_is_a_field_of_the_event(topic: Topic) -> None:
    assert topic.key in KEYED_BY_A_CONSTANT | topic.model.model_fields.keys()


@EACH_TOPIC
def test_owner_and_consumers_are_known(topic: Topic) -> None:
    assert topic.owner in PUBLISHERS
    assert set(topic.also_from) <= PUBLISHERS - {topic.owner}
    assert set(topic.consumers) <= set(DECIDE)
    assert set(topic.copied_by) <= {CONSOLE}
    assert set(topic.measured_by) <= set(SERVICES) - set(topic.consumers)
    assert len(set(topic.consumers)) == len(topic.consumers)


@EACH_WITH_FIELDS
def test_an_error_never_echoes_the_input(topic: Topic) -> None:
    broken = {name: {"card": "4242424242424242"} for name in topic.model.model_fields}
    with pytest.raises(ValueError, match=topic.model.__name__) as refused:
        topic.model.model_validate(broken)
    assert "4242" not in str(refused.value)


def test_each_topic_is_listed_under_its_own_name_and_each_service_has_a_dead_letter_topic() -> None:
    assert all(name == topic.name for name, topic in TOPICS.items())
    assert {f"{service}.dead" for service in DECIDE} <= TOPICS.keys()


def _refuses(model: type[BaseModel], event: dict[str, Any]) -> bool:
    try:
        model.model_validate(event)
    except ValueError:
        return True
    return False
