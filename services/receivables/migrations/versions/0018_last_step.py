"""The day of the last step about what is overdue, beside the student's case."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
