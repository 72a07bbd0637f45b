"""The newest transfers of all payees or of one, and what a payee earned, are found without reading all."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
