"""What was sent to a wallet lately is found without reading all transfers."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
