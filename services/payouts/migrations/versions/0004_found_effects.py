"""Keep what Stripe made for operations that this database does not know: it was restored from a backup."""

from pathlib import Path

from fleet.migrate import create_position_table, run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_position_table("payouts")
    run_sql(Path(__file__).with_name("0004_found_effects.sql"))
