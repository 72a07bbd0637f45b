"""What tests ask of a broker beyond the local one's settings."""

from pathlib import Path

from hobbs.local.kafka import SETTINGS_FILE


def let_members_be_missed_soon(folder: Path) -> None:
    """Allow sessions of seconds: a member that was killed is missed sooner than after the broker's six."""
    with (folder / SETTINGS_FILE).open("a") as settings:
        settings.write("group.min.session.timeout.ms=1000\n")
