"""Late journals by the time they span, so that history far back does not read all that came late since."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0008_late_journals.sql"))
