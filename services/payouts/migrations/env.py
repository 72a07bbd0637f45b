"""Alembic's entry point for this service."""

from fleet.migrate import run_env

run_env("payouts")
