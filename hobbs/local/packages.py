"""Where the packages of the `local` extra keep their binaries, and where fetched files are cached."""

import importlib.util
import os
from pathlib import Path


class NotInstalled(Exception):
    """A package of the `local` extra is missing."""


def package_folder(name: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NotInstalled(
            f"the package {name} is not installed; the local stack needs the `local` extra: make bootstrap"
        )
    return Path(spec.origin).parent


def cache_folder() -> Path:
    """This user's cache folder of Hobbs: everything in it can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "hobbs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
