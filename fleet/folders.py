"""Where whoever owns a schema keeps its files: services/<name>; <name> for the console, no service."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
CONSOLE: Final = "console"


def folder_of(name: str) -> Path:
    """The folder that holds the migrations, functions, invariants and schema.sql of a schema's owner."""
    return ROOT / name if name == CONSOLE else ROOT / "services" / name
