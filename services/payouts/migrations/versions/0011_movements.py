"""Rows of the platform's Stripe balance, and the journals that move its cash in the books (decision 0197)."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0011_movements.sql"))
