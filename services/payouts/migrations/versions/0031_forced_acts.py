"""Money that is sent on a person's word: who asked, and who agreed."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
