"""The tables every service has."""

from fleet.migrate import create_fleet_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_fleet_tables("reserves")
