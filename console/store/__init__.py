"""The console's own tables: sessions, sign-ins, acts, the copy of the decisions, refusals, questions."""

from console.store import acts, decisions, holders, questions, refusals, sessions, statements

__all__ = ["acts", "decisions", "holders", "questions", "refusals", "sessions", "statements"]
