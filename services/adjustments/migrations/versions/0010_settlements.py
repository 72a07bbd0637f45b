"""Settlements of what posted adjustments changed, and their history."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0010_settlements.sql"))
