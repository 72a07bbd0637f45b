"""Who posted by hand, above which amount two people do, and which logins there were."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
