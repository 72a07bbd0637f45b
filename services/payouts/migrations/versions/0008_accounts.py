"""Payees' agreements with Stripe, what of the book they do not allow, and accounts that are adopted."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0008_accounts.sql"))
