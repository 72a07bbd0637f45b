"""Changes of the book that one person asked for, and a second one agreed to (decision 0332)."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
