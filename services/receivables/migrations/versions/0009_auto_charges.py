"""Saved payment methods, what students allow, and the charges that follow."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
