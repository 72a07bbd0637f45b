"""Payments that people record: cash, cheques and bank transfers, and what was deposited together."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
