"""Every SQL statement of payouts' worker, a file for each group of tables."""

from services.payouts.store import events, inquiries, json_rows, operations, payees, payouts, transfers

__all__ = ["events", "inquiries", "json_rows", "operations", "payees", "payouts", "transfers"]
