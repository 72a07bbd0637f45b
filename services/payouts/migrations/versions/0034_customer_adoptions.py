"""Customers that exist at Stripe, taken for a student by their id."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
