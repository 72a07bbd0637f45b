"""The flights that mean money to a payee are found without reading all bills."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
