"""Breaks of the comparison with Stripe, what is proposed for each, and who accepted it."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
