"""The effect table: one row for each movement of money, written in the transaction that moved it.

Tests and the checker compare it with Hobbs' tables. It is never updated.
"""

import orjson

from hobbs.local.stripe_sim.world import Doc, World

OPERATION_KEY = "hobbs_operation_id"


def record(world: World, kind: str, doc: Doc, *, account: str = "", destination: str | None = None) -> None:
    metadata: dict[str, str] = doc.get("metadata") or {}
    world.store.write(
        "INSERT INTO effect (kind, object_id, operation_id, idempotency_key, account, amount, currency,"
        " destination, metadata, created) VALUES (:kind, :object_id, :operation_id, :key, :account, :amount,"
        " :currency, :destination, :metadata, :created)",
        kind=kind,
        object_id=doc["id"],
        operation_id=metadata.get(OPERATION_KEY),
        key=world.call.key if world.call else None,
        account=account,
        amount=doc["amount"],
        currency=doc["currency"],
        destination=destination,
        metadata=orjson.dumps(metadata).decode(),
        created=world.now,
    )


def all_effects(world: World, kind: str | None = None, operation_id: str | None = None) -> list[Doc]:
    rows = world.store.rows(
        "SELECT seq, kind, object_id, operation_id, idempotency_key, account, amount, currency, destination,"
        " metadata, created FROM effect WHERE (:kind IS NULL OR kind = :kind)"
        " AND (:operation_id IS NULL OR operation_id = :operation_id) ORDER BY seq",
        kind=kind,
        operation_id=operation_id,
    )
    return [dict(zip(COLUMNS, row, strict=True)) | {"metadata": orjson.loads(row[9])} for row in rows]


COLUMNS = (
    "seq",
    "kind",
    "object_id",
    "operation_id",
    "idempotency_key",
    "account",
    "amount",
    "currency",
    "destination",
    "metadata",
    "created",
)
