"""What people give or take of accounts: refunds, credit notes, write-offs, fees of bounced cheques."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
