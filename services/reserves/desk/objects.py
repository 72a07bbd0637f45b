"""What decisions name by a number."""

DIGITS_MAX = 18  # of a bigint


def numbered(name: str) -> int | None:
    """The number that a decision's object is; None when it is none that a row can have."""
    return int(name) if name.isascii() and name.isdecimal() and len(name) <= DIGITS_MAX else None
