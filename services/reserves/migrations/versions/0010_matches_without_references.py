"""Matches refer to their lines and journals without a check of each row."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
