"""Payees, payables, transfers, operations at Stripe and what we read back from it."""

from pathlib import Path

from fleet.migrate import create_fleet_tables, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_fleet_tables("payouts")
    here = Path(__file__)
    run_sql(here.with_name("0001_initial.sql"))
    run_sql(here.with_name("0001_public.sql"))
