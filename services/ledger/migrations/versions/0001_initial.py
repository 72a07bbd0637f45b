"""Wallets, journals, entries, balances; their guards, functions, views and grants."""

from pathlib import Path

from fleet.migrate import create_fleet_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PARTS = ("tables", "guards", "functions", "views_and_grants")


def upgrade() -> None:
    create_fleet_tables("ledger")
    for part in _PARTS:
        run_sql(Path(__file__).with_name(f"0001_{part}.sql"))
