"""Writes a JSON Schema for each topic and one AsyncAPI 3 document, for other languages and teams.

`python -m schemas.generate` writes schemas/generated/; `--check` only names stale files and exits 1.
The text depends on the models and the table of topics only, so that it can be compared byte for byte.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from schemas.asyncapi import asyncapi_document
from schemas.topics import TOPICS, Topic

GENERATED: Final = Path(__file__).with_name("generated")
ASYNCAPI: Final = "asyncapi.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with --check name those that differ from the models."""
    check = "--check" in (sys.argv[1:] if arguments is None else arguments)
    wanted = generated_files()
    if check:
        return _report(list(stale_files(wanted)))
    write_files(wanted)
    return 0


def generated_files(topics: Mapping[str, Topic] = TOPICS) -> dict[str, str]:
    """File name -> text of everything that is generated."""
    files = {schema_file(name): _text(topic_schema(topic)) for name, topic in sorted(topics.items())}
    return files | {ASYNCAPI: _text(asyncapi_document(topics))}


def schema_file(topic: str) -> str:
    return f"{topic}.schema.json"


def topic_schema(topic: Topic) -> dict[str, Any]:
    """The JSON Schema of one topic's events, with the topic's Kafka settings under `x-kafka`."""
    schema = topic.model.model_json_schema(mode="validation")
    return {
        "$schema": DIALECT,
        "$id": f"urn:hobbs:event:{topic.name}",
        "x-kafka": {
            "topic": topic.name,
            "key": topic.key,
            "owner": topic.owner,
            "consumers": list(topic.consumers),
            "partitions": topic.partitions,
            "retention_ms": topic.retention_ms,
        },
    } | schema


def stale_files(wanted: Mapping[str, str], folder: Path = GENERATED) -> Iterator[str]:
    """Names of files that are missing, differ, or belong to no topic any more."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    yield from sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )


def write_files(wanted: Mapping[str, str], folder: Path = GENERATED) -> None:
    folder.mkdir(exist_ok=True)
    for name in stale_files(wanted, folder):
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _report(stale: Sequence[str]) -> int:
    for name in stale:
        sys.stderr.write(f"schemas/generated/{name} does not match the models; run `make schemas`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
