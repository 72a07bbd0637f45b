"""A journal by hand is planned once, not in every call."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0013_by_hand_planned_once.sql"))
