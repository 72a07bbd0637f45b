"""The tables every worker has; sessions, what people ask for, and the console's copy of all decisions."""

from pathlib import Path

from fleet.migrate import create_fleet_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_fleet_tables("console")
    run_sql(Path(__file__).with_suffix(".sql"))
