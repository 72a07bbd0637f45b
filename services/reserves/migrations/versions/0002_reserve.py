"""Positions of the school's money, the balance at Stripe, and how the reserve was judged."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
