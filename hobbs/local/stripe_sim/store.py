"""The simulator's state, in one SQLite file with one writer.

`transaction()` wraps a whole request: objects, effect row and the saved idempotent answer commit together.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

Doc = dict[str, Any]

# Fields by which lists filter without reading every object of the kind.
INDEXED: Mapping[str, tuple[str, ...]] = {
    "transfer": ("destination", "transfer_group"),
    "charge": ("payment_intent", "customer", "transfer_group"),
    "payment_intent": ("customer",),
    "balance_transaction": ("source", "type"),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "transfer_reversal": ("transfer",),
    "event": ("type",),
    "customer": ("email",),
    "payment_method": ("customer",),
}


class Store:
    """Not thread safe: the event loop is the only caller."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA wal_autocheckpoint=4000")
        self.db.executescript(files(__package__).joinpath("schema.sql").read_text())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def rows(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, params).fetchall()

    def row(self, sql: str, /, **params: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.db.execute(sql, params).fetchone()
        return row

    def write(self, sql: str, /, **params: Any) -> int:
        return self.db.execute(sql, params).rowcount

    # Objects

    def insert(self, doc: Doc, account: str = "", *, created: int | None = None) -> Doc:
        """Insert a Stripe object, indexed by id and by the fields of INDEXED."""
        kind = doc["object"]
        seq = self.db.execute(
            "INSERT INTO object (id, kind, account, created, body) VALUES (?, ?, ?, ?, ?)",
            (doc["id"], kind, account, doc.get("created", created or 0), orjson.dumps(doc)),
        ).lastrowid
        for name in INDEXED.get(kind, ()):
            if isinstance(doc.get(name), str):
                self.db.execute("INSERT INTO attribute VALUES (?, ?, ?)", (f"{kind}.{name}", doc[name], seq))
        return doc

    def save(self, doc: Doc) -> Doc:
        self.write("UPDATE object SET body = :body WHERE id = :id", body=orjson.dumps(doc), id=doc["id"])
        return doc

    def delete(self, id: str) -> None:
        self.write("DELETE FROM attribute WHERE seq = (SELECT seq FROM object WHERE id = :id)", id=id)
        self.write("DELETE FROM object WHERE id = :id", id=id)

    def mark(self, id: str, name: str, value: str) -> None:
        """Index an object by one more attribute, such as the payout that carried it."""
        self.write(
            "INSERT OR IGNORE INTO attribute SELECT :name, :value, seq FROM object WHERE id = :id",
            name=name,
            value=value,
            id=id,
        )

    def unmark(self, id: str, name: str) -> None:
        self.write(
            "DELETE FROM attribute WHERE name = :name AND seq = (SELECT seq FROM object WHERE id = :id)",
            name=name,
            id=id,
        )

    def get(self, kind: str, id: str, account: str = "") -> Doc | None:
        row = self.row(
            "SELECT body FROM object WHERE id = :id AND kind = :kind AND account = :account",
            id=id,
            kind=kind,
            account=account,
        )
        return orjson.loads(row[0]) if row else None

    def find(self, id: str) -> Doc | None:
        row = self.row("SELECT body FROM object WHERE id = :id", id=id)
        return orjson.loads(row[0]) if row else None

    def account_of(self, id: str) -> str | None:
        row = self.row("SELECT account FROM object WHERE id = :id", id=id)
        return str(row[0]) if row else None

    def position(self, id: str, kind: str, account: str) -> int | None:
        row = self.row(
            "SELECT seq FROM object WHERE id = :id AND kind = :kind AND account = :account",
            id=id,
            kind=kind,
            account=account,
        )
        return int(row[0]) if row else None

    def newest(self, kind: str, account: str, *, before: int | None = None) -> Iterator[Doc]:
        """Objects of a kind and account, newest first, read lazily."""
        return self._docs(
            "SELECT body FROM object WHERE kind = ? AND account = ? AND seq < ? ORDER BY seq DESC",
            (kind, account, before or 1 << 62),
        )

    def oldest(self, kind: str, account: str, *, after: int) -> Iterator[Doc]:
        return self._docs(
            "SELECT body FROM object WHERE kind = ? AND account = ? AND seq > ? ORDER BY seq",
            (kind, account, after),
        )

    def newest_with(
        self, attribute: str, value: str, account: str, *, before: int | None = None
    ) -> Iterator[Doc]:
        return self._docs(
            "SELECT o.body FROM attribute a JOIN object o ON o.seq = a.seq"
            " WHERE a.name = ? AND a.value = ? AND a.seq < ? AND o.account = ? ORDER BY a.seq DESC",
            (attribute, value, before or 1 << 62, account),
        )

    def oldest_with(self, attribute: str, value: str, account: str, *, after: int) -> Iterator[Doc]:
        return self._docs(
            "SELECT o.body FROM attribute a JOIN object o ON o.seq = a.seq"
            " WHERE a.name = ? AND a.value = ? AND a.seq > ? AND o.account = ? ORDER BY a.seq",
            (attribute, value, after, account),
        )

    def _docs(self, sql: str, params: Sequence[Any]) -> Iterator[Doc]:
        for (body,) in self.db.execute(sql, params):
            yield orjson.loads(body)

    # Settings

    def setting(self, name: str) -> Any:
        row = self.row("SELECT value FROM setting WHERE name = :name", name=name)
        return orjson.loads(row[0]) if row else None

    def put_setting(self, name: str, value: Any) -> None:
        self.write(
            "INSERT INTO setting VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name=name,
            value=orjson.dumps(value).decode(),
        )

    def clear(self) -> None:
        """Delete every object, effect, key, job and delivery, but no settings."""
        for statement in CLEAR:
            self.db.execute(statement)


CLEAR = (
    "DELETE FROM object",
    "DELETE FROM attribute",
    "DELETE FROM balance",
    "DELETE FROM pending_funds",
    "DELETE FROM unswept",
    "DELETE FROM effect",
    "DELETE FROM idempotency",
    "DELETE FROM job",
    "DELETE FROM delivery",
    "DELETE FROM setting",
    "DELETE FROM sqlite_sequence",  # numbering starts again, so that a seed gives the same run
)
