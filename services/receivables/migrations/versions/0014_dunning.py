"""Asking for what is overdue: where each student stands, and everything that was done."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
