"""Charges of students' saved payment methods: requests, their operations, their answers."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
