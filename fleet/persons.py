"""When two names are one person's. Pure."""

import unicodedata


def same_person(one: str, other: str) -> bool:
    """Whether two names differ in capital letters, blanks around, or forms of a character only.

    At least as strict as the databases' constraints: they compare NFKC in small letters, which folds less.
    """
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
