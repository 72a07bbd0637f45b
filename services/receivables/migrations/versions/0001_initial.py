"""Charges with their refunds, disputes and postings; what is unallocated; what was kept unread."""

from pathlib import Path

from fleet.migrate import create_fleet_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_fleet_tables("receivables")
    run_sql(Path(__file__).with_name("0001_initial.sql"))
    run_sql(Path(__file__).with_name("0001_views.sql"))
