"""API keys, and what was accepted over HTTP."""

from pathlib import Path

from fleet.migrate import create_fleet_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_fleet_tables("gateway")
    run_sql(Path(__file__).with_name("0001_initial.sql"))
