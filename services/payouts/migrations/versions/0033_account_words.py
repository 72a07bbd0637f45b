"""Whose account is whose, said by two people: who asked, and who agreed."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
