"""While the school keeps a reserve, a transfer is let out before it is sent, and counted."""

from pathlib import Path

from alembic import op
from sqlalchemy import text

from fleet.migrate import run_sql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The book was read already; what it says of the currency is taken from billing's once.
_CURRENCY = """
    UPDATE school SET currency = card.new ->> 'currency'
    FROM (SELECT new FROM billing_public.card_history WHERE kind = 'school' AND new IS NOT NULL
          ORDER BY version DESC LIMIT 1) AS card
"""


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
    connection = op.get_bind()
    if connection.execute(text("SELECT to_regclass('billing_public.card_history')")).scalar() is not None:
        connection.execute(text(_CURRENCY))
