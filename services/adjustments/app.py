"""Composition root of adjustments."""

from fleet.settings import Settings
from fleet.worker import Worker


def build(settings: Settings | None = None) -> Worker:
    """Wire an adjustments worker; the caller runs it."""
    worker = Worker("adjustments", settings or Settings())
    worker.decide({})
    return worker
