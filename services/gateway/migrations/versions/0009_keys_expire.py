"""A key may be good until an instant that was said when it was made."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_EXPIRES = """
    ALTER TABLE api_key ADD COLUMN expires_at timestamptz
        CONSTRAINT api_key_expires_after_it_was_made CHECK (expires_at > created_at);
    CREATE OR REPLACE VIEW gateway_public.api_key AS
    SELECT key_id, name, hint, scopes, created_at, created_by, last_used_at, revoked_at, revoked_by,
           expires_at
    FROM api_key
"""


def upgrade() -> None:
    for statement in _EXPIRES.split(";"):
        op.execute(statement)
