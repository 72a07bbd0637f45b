"""Refuses changes of event schemas that break old events or old consumers.

Compares the models with schemas/released/, the schemas as last released, so that regenerating
schemas/generated/ hides no break. `python -m schemas.gate` exits 1 with one sentence per break;
`--release` moves the baseline to the models, and with `--because SENTENCE` past breaks, which it records.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from schemas.fields import Event
from schemas.gate_rules import Node, changed_defaults, refusals, removed_fields
from schemas.generate import generated_files, stale_files, topic_schema, write_files
from schemas.topics import FOREVER, TOPICS, Topic

RELEASED: Final = Path(__file__).with_name("released")
BREAKS: Final = "BREAKS.md"
# Published by others and only read by us, so accepting more than before breaks nobody.
FOREIGN_OWNERS: Final = ("scheduling",)

KEEP: Final = "keep it and add the new field, optional at first"
NEW_TOPIC: Final = "publish {topic}.v2 too, until nobody reads this one"
READERS_FIRST: Final = (
    "add an optional field instead, or, once every consumer runs a release that takes it, "
    "`python -m schemas.gate --release --because ...`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One breaking change, and what to do instead."""

    topic: str
    field: str
    what: str
    way_out: str

    def __str__(self) -> str:
        field = f" field {self.field}" if self.field else ""
        return f"{self.topic}{field}: {self.what}. Way out: {self.way_out.format(topic=self.topic)}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the working tree, or release it."""
    options = _options(arguments)
    released, current = load_released(), current_schemas()
    found = [*find_breaks(released, current), *_unreadable_examples(released)]
    if options.release:
        return release(found, options.because)
    stale = list(stale_files(generated_files()))
    lines = [str(one) for one in found]
    lines += [f"schemas/generated/{name} does not match the models; run `make schemas`" for name in stale]
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


def find_breaks(released: Mapping[str, Node], current: Mapping[str, Node]) -> list[Break]:
    """Compare the schemas of all topics; a new topic breaks nobody."""
    gone = [
        Break(topic=topic, field="", what="the topic was removed or renamed", way_out=NEW_TOPIC)
        for topic in sorted(released.keys() - current.keys())
    ]
    both = sorted(released.keys() & current.keys())
    return gone + [one for topic in both for one in _topic_breaks(topic, released[topic], current[topic])]


def load_released(folder: Path = RELEASED) -> dict[str, Node]:
    """Topic name -> its schema as last released."""
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.schema.json"))]
    return {str(schema["x-kafka"]["topic"]): schema for schema in schemas}


def current_schemas(topics: Mapping[str, Topic] = TOPICS) -> dict[str, Node]:
    return {name: topic_schema(topic) for name, topic in topics.items()}


def unreadable_examples(topic: str, model: type[Event], released: Node) -> Iterator[Break]:
    """Breaks found by reading the released examples: rules that no JSON Schema shows."""
    for example in released.get("examples", ()):
        try:
            model.model_validate_json(json.dumps(example))
        except ValidationError as refusal:
            first = refusal.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            what = f"a released example is refused now ({first['msg']})"
            yield Break(topic=topic, field=field, what=what, way_out=f"{KEEP}; or {NEW_TOPIC}")


def release(found: Sequence[Break], because: str | None, folder: Path = RELEASED) -> int:
    """Write the models to `folder` as the new baseline; breaks need a reason, which is recorded there."""
    if found and not because:
        sys.stderr.writelines(f"{one}\n" for one in found)
        sys.stderr.write("Not released. To accept these breaks, say why: --because SENTENCE\n")
        return 1
    schemas = {name: text for name, text in generated_files().items() if name.endswith(".schema.json")}
    write_files(schemas, folder)
    if found:
        with (folder / BREAKS).open("a", encoding="utf-8") as record:
            record.writelines(f"- {one.topic} {one.field}: {one.what}. Because: {because}\n" for one in found)
    sys.stdout.write(f"{folder.name}/ now holds {len(schemas)} topics\n")
    return 0


def _topic_breaks(topic: str, old: Node, new: Node) -> Iterator[Break]:
    yield from _kafka_breaks(topic, old["x-kafka"], new["x-kafka"])
    removed = removed_fields(new, old)
    for field in removed:
        what = "it was removed or renamed; consumers that read it stop"
        yield Break(topic=topic, field=field, what=what, way_out=f"{KEEP}; or {NEW_TOPIC}")
    for refused in refusals(reader=new, writer=old):
        what = f"events already published are refused ({refused.why})"
        yield Break(topic=topic, field=refused.field, what=what, way_out=f"{KEEP}; or {NEW_TOPIC}")
    for changed in changed_defaults(new, old):
        what = f"{changed.why}, so events already published mean something else"
        yield Break(topic=topic, field=changed.field, what=what, way_out=KEEP)
    if new["x-kafka"]["owner"] not in FOREIGN_OWNERS:
        for refused in refusals(reader=old, writer=new):
            if refused.field not in removed:
                what = f"consumers not yet upgraded refuse it ({refused.why})"
                yield Break(topic=topic, field=refused.field, what=what, way_out=READERS_FIRST)


def _kafka_breaks(topic: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Break]:
    for word, why in (
        ("key", "events of one key would lose their order"),
        ("partitions", "a key moves to another partition and loses its order"),
    ):
        if old[word] != new[word]:
            what = f"its {word} changed from {old[word]} to {new[word]}; {why}"
            yield Break(topic=topic, field="", what=what, way_out=NEW_TOPIC)
    if new["retention_ms"] != FOREVER and not 0 <= old["retention_ms"] <= new["retention_ms"]:
        what = (
            f"its retention fell from {old['retention_ms']} to {new['retention_ms']} ms; replays lose events"
        )
        yield Break(topic=topic, field="", what=what, way_out="keep the longer retention")


def _unreadable_examples(released: Mapping[str, Node]) -> Iterator[Break]:
    for topic in sorted(released.keys() & TOPICS.keys()):
        yield from unreadable_examples(topic, TOPICS[topic].model, released[topic])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m schemas.gate", description=__doc__)
    parser.add_argument("--release", action="store_true", help="make the models the new baseline")
    parser.add_argument("--because", help="accept breaks when releasing, and record why")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
