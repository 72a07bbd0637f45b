"""Monitors: thresholds on balances, told of once for each crossing, in the transaction that crossed."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for part in ("monitors", "monitor_functions"):
        run_sql(Path(__file__).with_name(f"0007_{part}.sql"))
