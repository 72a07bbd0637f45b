"""Limits for a kind of activity: a dispatch knows its own."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
