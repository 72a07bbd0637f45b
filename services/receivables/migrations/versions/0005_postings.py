"""Publish what is asked of the ledger, entry by entry, so that others can compare."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0005_postings.sql"))
