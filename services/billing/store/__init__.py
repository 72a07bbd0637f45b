"""Every SQL statement of the worker, a module for each group of tables.

Lock order: inbox, book, rate proposal, bill (by flight id), waiting revision (by flight id and revision).
A decision about a dead letter locks nothing but the letter.
"""

from services.billing.store import bills, book, letters, own_limits, proposals, revisions, waiting

__all__ = ["bills", "book", "letters", "own_limits", "proposals", "revisions", "waiting"]
