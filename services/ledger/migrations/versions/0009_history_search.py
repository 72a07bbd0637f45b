"""Balances at an instant in fewer steps: versions by interpolation, displaced entries by their wallet."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0009_history_search.sql"))
