"""Every SQL statement of the worker, a module for each group of tables.

Lock order: inbox, book, bill (by flight id).
"""

from services.billing.store import bills, book

__all__ = ["bills", "book"]
