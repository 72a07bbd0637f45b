"""The copy of the decisions says as whom each was taken, and by which login of the database."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
