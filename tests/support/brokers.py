"""Broker settings for tests, beyond those of the local stack."""

from pathlib import Path

from hobbs.local.kafka import SETTINGS_FILE


def allow_short_sessions(folder: Path) -> None:
    """Allow session timeouts from 1 s, so that the broker notices a killed consumer sooner than after 6 s."""
    with (folder / SETTINGS_FILE).open("a") as settings:
        settings.write("group.min.session.timeout.ms=1000\n")
