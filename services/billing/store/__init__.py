"""Every SQL statement of the worker, a module for each group of tables.

Lock order: inbox, book, bill (by flight id), waiting revision (by flight id and revision).
"""

from services.billing.store import bills, book, revisions, waiting

__all__ = ["bills", "book", "revisions", "waiting"]
