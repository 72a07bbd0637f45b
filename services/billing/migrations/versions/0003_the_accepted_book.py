"""Tell of every version of the book so far on `school.accepted` (decision 0170); meters that roll over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from alembic import op
from sqlalchemy import Connection, text

from fleet.migrate import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VERSIONS = """
    SELECT event_key, json_build_object(
               'version', version, 'base_version', base_version, 'who', who, 'why', why, 'at', at,
               'changes', (SELECT json_agg(json_build_object(
                                      'kind', kind, 'key', key, 'effective_from', effective_from, 'new', new)
                                  ORDER BY kind, key, effective_from)
                           FROM card_version WHERE card_version.version = school_version.version)
           ) AS event
    FROM school_version ORDER BY version
"""
_STAGE = """
    INSERT INTO outbox (topic, key, value, raw_headers)
    VALUES ('school.accepted', 'school', CAST(:value AS bytea), CAST(:headers AS jsonb))
"""
# As the worker names these events: whoever restores a backup and gets here again tells of the same ones.
_ACCEPTED = uuid5(NAMESPACE_URL, "hobbs:school-accepted")


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0003_the_accepted_book.sql"))
    connection = op.get_bind()
    staged = list(_messages(connection))
    if staged:
        connection.execute(text(_STAGE), staged)


def _messages(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(text(_VERSIONS)).all():
        event_id = str(uuid5(_ACCEPTED, str(row.event_key)))
        headers = {
            "ce_specversion": "1.0",
            "ce_id": event_id,
            "ce_source": "hobbs/billing",
            "ce_type": "school.accepted",
            "ce_correlationid": str(row.event_key),
            "ce_hobbscontent": f"school.accepted {row.event_key}",
            "content-type": "application/json",
        }
        value = json.dumps(row.event, ensure_ascii=False, separators=(",", ":")).encode()
        yield {"value": value, "headers": json.dumps(headers)}
