"""A page where a student pays may be for one bill."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
