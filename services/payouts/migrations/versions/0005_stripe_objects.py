"""Odd objects of Stripe's, payouts with their sign, what is carried, instant payouts' place in the line."""

from pathlib import Path

from fleet.migrate import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_name("0005_stripe_objects.sql"))
