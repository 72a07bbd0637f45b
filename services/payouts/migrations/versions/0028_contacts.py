"""Names and addresses of people are in one erasable table; who was erased is remembered by id."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
