"""The compatibility gate: which changes of a topic pass, which fail, and the sentence of a failure."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import pytest
from pydantic import Field, StringConstraints, create_model, model_validator

from schemas import gate
from schemas.fields import Event
from schemas.gate import Break, current_schemas, find_breaks, load_released, unreadable_examples
from schemas.generate import topic_schema
from schemas.topics import FOREVER, Topic


class Line(Event):
    kind: str
    amount: Annotated[int, Field(ge=-100, le=100)]


FIELDS: dict[str, Any] = {
    "flight_id": (Annotated[str, StringConstraints(min_length=1, max_length=50)], ...),
    "charge": (int, ...),
    "hours": (Decimal, Decimal(0)),
    "meter": (Literal["hobbs", "tach"], ...),
    "note": (str | None, None),
    "lines": (list[Line], ...),
    "facts": (dict[str, str], Field(default_factory=dict)),
    "ids": (list[UUID], Field(default_factory=list)),
}


def billed(owner: str = "billing", **changes: Any) -> Topic:
    """The topic flight.billed with fields added, replaced or (None) removed."""
    fields = {name: field for name, field in (FIELDS | changes).items() if field is not None}
    model = create_model("FlightBilled", __base__=Event, **fields)
    return Topic(name="flight.billed", model=model, key="flight_id", owner=owner)


def breaks(old: Topic, new: Topic) -> list[Break]:
    return find_breaks({old.name: topic_schema(old)}, {new.name: topic_schema(new)})


class LineWithTax(Line):
    tax: int | None = None


class LineWithoutKind(Event):
    amount: Annotated[int, Field(ge=-100, le=100)]


class LineMayOwe(Event):
    kind: str
    amount: Annotated[int, Field(ge=-100, le=50)]


PASSING: dict[str, dict[str, Any]] = {
    "nothing changed": {},
    "an optional field added": {"billed_on": (str | None, None)},
    "an optional field with a default added": {"flags": (list[str], Field(default_factory=list))},
    "an optional field added to a nested model": {"lines": (list[LineWithTax], ...)},
}

FAILING: dict[str, tuple[dict[str, Any], str, str]] = {
    "field removed": ({"charge": None}, "charge", "removed or renamed"),
    "optional field removed": ({"note": None}, "note", "removed or renamed"),
    "field renamed": ({"charge": None, "total": (int, ...)}, "charge", "removed or renamed"),
    "required field added": ({"tax": (int, ...)}, "tax", "required"),
    "optional became required": ({"note": (str | None, ...)}, "note", "required"),
    "required became optional": ({"charge": (int, 0)}, "charge", "consumers not yet upgraded"),
    "null no longer taken": ({"note": (str, "")}, "note", "null is not string"),
    "null newly sent": ({"charge": (int | None, ...)}, "charge", "consumers not yet upgraded"),
    "another type": ({"charge": (str, ...)}, "charge", "integer is not string"),
    "integer became number": ({"charge": (float, ...)}, "charge", "consumers not yet upgraded"),
    "enum value removed": ({"meter": (Literal["hobbs"], ...)}, "meter", "'tach' is not among"),
    "enum value added": ({"meter": (Literal["hobbs", "tach", "none"], ...)}, "meter", "not yet upgraded"),
    "shorter text": (
        {"flight_id": (Annotated[str, StringConstraints(min_length=1, max_length=40)], ...)},
        "flight_id",
        "maxLength 40 is narrower than maxLength 50",
    ),
    "text without limit": ({"flight_id": (str, ...)}, "flight_id", "consumers not yet upgraded"),
    "pattern added": (
        {"flight_id": (Annotated[str, StringConstraints(min_length=1, max_length=50, pattern="^F")], ...)},
        "flight_id",
        "pattern ^F is not pattern any",
    ),
    "default changed": ({"hours": (Decimal, Decimal(1))}, "hours", "default changed from '0' to '1'"),
    "nested field removed": ({"lines": (list[LineWithoutKind], ...)}, "lines[].kind", "removed or renamed"),
    "nested bound narrowed": ({"lines": (list[LineMayOwe], ...)}, "lines[].amount", "maximum 50 is narrower"),
    "items required": ({"lines": (list[Line], Field(min_length=1))}, "lines", "minItems 1 is narrower"),
    "list of another type": (
        {"ids": (list[int], Field(default_factory=list))},
        "ids[]",
        "string is not integer",
    ),
    "text instead of ids": ({"ids": (list[str], Field(default_factory=list))}, "ids[]", "not yet upgraded"),
    "values of another type": (
        {"facts": (dict[str, int], Field(default_factory=dict))},
        "facts.*",
        "string is not",
    ),
}


@pytest.mark.parametrize("changes", PASSING.values(), ids=PASSING.keys())
def test_a_compatible_change_passes(changes: dict[str, Any]) -> None:
    assert breaks(billed(), billed(**changes)) == []


@pytest.mark.parametrize(("changes", "field", "says"), FAILING.values(), ids=FAILING.keys())
def test_a_breaking_change_is_refused_with_field_reason_and_alternative(
    changes: dict[str, Any], field: str, says: str
) -> None:
    found = [one for one in breaks(billed(), billed(**changes)) if one.field == field]
    assert found, f"nothing said about {field}"
    sentence = next(str(one) for one in found if says in one.what)
    assert sentence.startswith(f"flight.billed field {field}: ")
    assert "Way out: " in sentence


TAKING_MORE = ("required became optional", "enum value added", "text without limit", "integer became number")


@pytest.mark.parametrize("change", TAKING_MORE)
def test_accepting_more_from_foreign_publishers_is_no_break(change: str) -> None:
    changes = FAILING[change][0]
    assert breaks(billed(owner="scheduling"), billed(owner="scheduling", **changes)) == []


TOPIC_CHANGES: dict[str, tuple[Callable[[Topic], Topic], str]] = {
    "key": (lambda topic: replace(topic, key="charge"), "its key changed from flight_id to charge"),
    "partitions": (lambda topic: replace(topic, partitions=24), "its partitions changed from 12 to 24"),
    "retention": (lambda topic: replace(topic, retention_ms=1), "its retention fell"),
    "name": (lambda topic: replace(topic, name="flight.priced"), "the topic was removed or renamed"),
}


@pytest.mark.parametrize(("change", "says"), TOPIC_CHANGES.values(), ids=TOPIC_CHANGES.keys())
def test_a_topic_keeps_its_name_key_partitions_and_retention(
    change: Callable[[Topic], Topic], says: str
) -> None:
    assert [says in one.what for one in breaks(billed(), change(billed()))] == [True]


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [(10, 10, False), (10, 20, False), (10, FOREVER, False), (20, 10, True), (FOREVER, 10, True)],
)
def test_retention_may_only_grow(before: int, after: int, broken: bool) -> None:
    old, new = replace(billed(), retention_ms=before), replace(billed(), retention_ms=after)
    assert bool(breaks(old, new)) is broken


def test_a_new_topic_breaks_nobody() -> None:
    assert find_breaks({}, {"flight.billed": topic_schema(billed())}) == []


def test_a_rule_that_no_schema_shows_is_caught_by_the_released_examples() -> None:
    class Strict(Event):
        charge: int

        @model_validator(mode="after")
        def is_even(self) -> Self:
            if self.charge % 2:
                raise ValueError("the charge must be even")
            return self

    found = list(unreadable_examples("flight.billed", Strict, {"examples": [{"charge": 2}, {"charge": 3}]}))
    assert ["must be even" in one.what for one in found] == [True]


def test_the_working_tree_breaks_nothing_that_was_released() -> None:
    assert [str(one) for one in find_breaks(load_released(), current_schemas())] == []
    assert gate.main([]) == 0


def test_regenerating_does_not_hide_a_break(tmp_path: Path) -> None:
    assert gate.release([], None, tmp_path) == 0
    released = load_released(tmp_path)
    assert released.keys() == current_schemas().keys()
    changed = dict(current_schemas())
    changed["flight.billed"] = topic_schema(billed())
    assert "journal.posted" not in {one.topic for one in find_breaks(released, changed)}
    assert "flight.billed" in {one.topic for one in find_breaks(released, changed)}


def test_a_break_is_released_only_with_a_reason_which_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = breaks(billed(), billed(charge=None))
    assert gate.release(found, None, tmp_path) == 1
    assert "flight.billed field charge: it was removed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert gate.release(found, "nobody reads it", tmp_path) == 0
    record = (tmp_path / "BREAKS.md").read_text()
    assert "flight.billed charge" in record
    assert "nobody reads it" in record


def test_a_removed_list_is_one_break_not_one_for_each_of_its_fields() -> None:
    assert [one.field for one in breaks(billed(), billed(lines=None))] == ["lines"]
