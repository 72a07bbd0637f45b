"""Opening balances: the lines of the books kept before, and who signed them."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0018_openings.sql"))
