"""What was taken back of a transfer in the bank goes off the next payout: a part may be negative."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
