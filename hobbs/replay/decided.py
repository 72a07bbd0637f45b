"""Decisions of people as rows for whoever audits: what was asked beside what was answered."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from fleet.envelope import Record

COLUMNS: Final = (
    *("taken_at", "service", "action", "object", "outcome", "who", "login", "asked_as", "roles", "channel"),
    *("why", "parameters", "sentence", "effects", "requested_at", "decision_id"),
)
PREVIEWED: Final = "previewed"


async def bodies(batches: AsyncIterator[Sequence[Record]]) -> AsyncIterator[dict[str, Any]]:
    """What is readable of a topic, in its order; the rest is a dead letter of whoever reads it."""
    async for batch in batches:
        for record in batch:
            try:
                body = orjson.loads(record.value or b"")
            except orjson.JSONDecodeError:
                continue
            if isinstance(body, dict):
                yield body


def rows(asked: Iterable[Mapping[str, Any]], taken: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each decision that was done or refused, in the order of the answers.

    `who`, `login`: as whom it was taken and which login vouched, where the service knew; `asked_as`: the name
    that the record gave. Before and after are in `effects`, as the service answered them. What nobody asked
    for on the topic, such as a replay, has the answer's columns only.
    """
    by_id = {str(one["decision_id"]): one for one in asked if "decision_id" in one}
    return [
        _row(by_id.get(str(one["decision_id"]), {}), one)
        for one in taken
        if "decision_id" in one and one.get("outcome") != PREVIEWED
    ]


def _row(asked: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, Any]:
    said = asked.get("who") or {}
    known = {
        **{name: taken.get(name) for name in COLUMNS if name in taken},
        "who": taken.get("who") or said.get("name"),
        "asked_as": said.get("name"),
        "roles": ", ".join(said.get("roles", [])),
        "channel": said.get("channel"),
        "why": asked.get("why"),
        "parameters": _text(asked.get("parameters")),
        "effects": _text(taken.get("effects")),
        "requested_at": asked.get("requested_at"),
    }
    return {name: known.get(name) for name in COLUMNS}


def _text(value: object) -> str:
    return orjson.dumps(value).decode() if value else ""
