"""Dispatched flights: what the ledger was asked to hold for each, and what became of it."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
