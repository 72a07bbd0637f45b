"""How far Stripe's events were listed, and those of them whose webhook never came."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0002_missed_events.sql"))
