"""Time: balances at any instant as known at any instant, and periods that are closed."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for part in ("periods", "history"):
        run_sql(Path(__file__).with_name(f"0004_{part}.sql"))
