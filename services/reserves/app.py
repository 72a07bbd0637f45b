"""Composition root of reserves."""

from fleet.settings import Settings
from fleet.worker import Worker


def build(settings: Settings | None = None) -> Worker:
    """Wire a reserves worker; the caller runs it."""
    worker = Worker("reserves", settings or Settings())
    worker.decide({})
    return worker
