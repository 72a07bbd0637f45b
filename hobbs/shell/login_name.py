"""Who sits at the terminal: the name that a person's decision is kept under unless they say another."""

import getpass
from typing import Final

NAMELESS: Final = "operator"


def login_name() -> str:
    """The name of the user this process runs as; "operator" when the uid has none, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return NAMELESS
