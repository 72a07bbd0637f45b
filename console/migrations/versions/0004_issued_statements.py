"""What a statement was when it was issued: its balances and the hash of its lines."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
