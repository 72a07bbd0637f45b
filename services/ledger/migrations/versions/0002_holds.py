"""Holds and limits: pending amounts on a wallet, and how far down it may go."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for part in ("holds", "hold_functions"):
        run_sql(Path(__file__).with_name(f"0002_{part}.sql"))
