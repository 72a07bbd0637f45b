"""The data that rules read, as plain rows: of Postgres, Kafka and Stripe, of a deployment at rest."""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

Row = Mapping[str, Any]
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a topic, as published; `topic` is without the deployment's prefix."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Mapping[str, str]

    @property
    def event_id(self) -> str:
        return self.headers.get("ce_id", "")

    @property
    def digest(self) -> str:
        return sha256(self.value or b"").hexdigest()

    @property
    def content_hash(self) -> str:
        """The hash in a consumer's inbox: of the body, or of the content that our publisher names."""
        named = self.headers.get("ce_hobbscontent", "")
        if named and self.headers.get("ce_source", "").startswith("hobbs/"):
            return sha256(named.encode()).hexdigest()
        return self.digest

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The record's JSON object; None when it is none."""
        try:
            document = json.loads((self.value or b"").decode())
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def __str__(self) -> str:
        return f"{self.topic} {self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A deployment's data. Tables are named `schema.table`; byte columns come as hex text.

    is_compared: all that happened was compared with Stripe before this was read.
    """

    school: str
    topics: Mapping[str, Sequence[Record]]
    tables: Mapping[str, Sequence[Row]]
    effects: Sequence[Row]
    events: Sequence[Row]
    deliveries: Sequence[Row]
    accounts: Sequence[Row]
    balance: Mapping[str, int]
    transactions: Sequence[Row]
    is_compared: bool = False

    def rows(self, table: str) -> Sequence[Row]:
        return self.tables[table]

    def records(self, topic: str) -> Sequence[Record]:
        return self.topics.get(topic, ())

    def entries(self) -> dict[str, list[Row]]:
        """Entries by journal."""
        return grouped(self.rows("ledger.entry"), lambda entry: str(entry["journal_id"]))

    def letters(self, topic: str) -> list[Row]:
        """Dead letters of records of a topic, of every service."""
        tables = [rows for name, rows in self.tables.items() if name.endswith(".dead_letter")]
        return [letter for rows in tables for letter in rows if letter["topic"] == topic]


def grouped(things: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return dict(groups)
