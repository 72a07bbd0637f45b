"""Payments that a bank takes back after they were made: failed debits, and disputes with their reason."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
