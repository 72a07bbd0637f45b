"""Remember which kinds of events Stripe sends, so that a wrong endpoint is found."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0003_webhook_sightings.sql"))
