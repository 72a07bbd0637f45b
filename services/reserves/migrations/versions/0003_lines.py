"""Both sides of the comparison with Stripe, what belongs together of them, and days."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
