"""Cards of the book name nobody: what they held of people goes out on `contact.changed` (decision 0314).

Payouts keeps it in the one table that can be erased. What the book said before of who and why stays.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from alembic import op
from sqlalchemy import Connection, text

from fleet.migrate import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TOPIC = "contact.changed"
_PEOPLE = {"instructor": "instructor", "owner": "aircraft_owner", "student": "student"}
_LONGEST = 200

# The newest card of each person that says a name or an address.
_CONTACTS = """
    SELECT DISTINCT ON (kind, key) kind, key, coalesce(new ->> 'name', '') AS full_name,
           coalesce(new ->> 'email', '') AS email, at
    FROM card_version JOIN school_version USING (version)
    WHERE kind IN ('instructor', 'owner', 'student')
      AND coalesce(new ->> 'name', '') || coalesce(new ->> 'email', '') <> ''
    ORDER BY kind, key, version DESC, effective_from DESC
"""
_STAGE = """
    INSERT INTO outbox (topic, key, value, raw_headers)
    VALUES (:topic, CAST(:key AS bytea), CAST(:value AS bytea), CAST(:headers AS jsonb))
"""
# Staged by a worker, or by a migration of this upgrade, and in no topic yet: each names what a repeat must
# equal (ce_hobbscontent), so that another body is the same event.
_UNSENT = """
    SELECT id, value FROM outbox
    WHERE topic = 'school.accepted' AND jsonb_exists(raw_headers, 'ce_hobbscontent')
"""
_REDUCE = "UPDATE outbox SET value = CAST(:value AS bytea) WHERE id = :id"


def upgrade() -> None:
    connection = op.get_bind()
    staged = list(_messages(connection))
    if staged:
        connection.execute(text(_STAGE), staged)
    for row in connection.execute(text(_UNSENT)).all():
        connection.execute(text(_REDUCE), {"id": row.id, "value": _reduced(bytes(row.value))})
    run_sql(Path(__file__).with_suffix(".sql"))


def _messages(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(text(_CONTACTS)).all():
        wallet = f"{_PEOPLE[row.kind]}:{row.key}"
        event_id = str(uuid5(NAMESPACE_URL, f"hobbs:contact-upgraded:{wallet}"))
        event = {
            "wallet": wallet,
            "full_name": row.full_name[:_LONGEST],
            "email": row.email[:_LONGEST],
            "stated_at": row.at.isoformat(),
        }
        headers = {
            "ce_specversion": "1.0",
            "ce_id": event_id,
            "ce_source": "hobbs/billing",
            "ce_type": _TOPIC,
            "ce_correlationid": event_id,
            "ce_hobbscontent": f"{_TOPIC} {event_id}",
            "content-type": "application/json",
        }
        yield {
            "topic": _TOPIC,
            "key": wallet.encode(),
            "value": json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(),
            "headers": json.dumps(headers),
        }


def _reduced(value: bytes) -> bytes:
    event = json.loads(value)
    for change in event["changes"]:
        for side in ("old", "new"):
            if change["kind"] in _PEOPLE and isinstance(change.get(side), dict):
                change[side] = {k: v for k, v in change[side].items() if k not in ("name", "email")}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
