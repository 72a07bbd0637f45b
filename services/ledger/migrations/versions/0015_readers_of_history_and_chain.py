"""Who reads the published views may ask for balances at an instant, and verify the chain."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0015_readers_of_history_and_chain.sql"))
