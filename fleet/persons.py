"""When two names are one person's. Pure."""

import unicodedata


def same_person(one: str, other: str) -> bool:
    """Whether two names differ in capital letters, blanks around, or forms of a character only."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name.strip(" ")).lower()
