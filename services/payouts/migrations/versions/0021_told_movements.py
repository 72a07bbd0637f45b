"""Rows of the Stripe balance are told to other services, in each version that Stripe shows."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
