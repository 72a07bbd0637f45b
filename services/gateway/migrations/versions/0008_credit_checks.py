"""Keys may have the scope to ask how students stand with their credit."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SCOPES = """
    ALTER TABLE api_key
        DROP CONSTRAINT api_key_has_known_scopes,
        ADD CONSTRAINT api_key_has_known_scopes CHECK (
            cardinality(scopes) > 0 AND scopes <@ ARRAY['flights:write', 'corrections:write', 'credit:read'])
"""


def upgrade() -> None:
    op.execute(_SCOPES)
