"""Pages at Stripe where students save a payment method or pay, and their customers."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
