"""When two names are one person's, and whether a text names somebody. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

LETTERS_LEAST: Final = 4  # of a name that a text is searched for: "Al" is in every other word
_MARKS: Final = ".,;:!?()[]<>\"'\u2019"


def same_person(one: str, other: str) -> bool:
    """Whether two names differ in capital letters, blanks around, or forms of a character only.

    At least as strict as the databases' constraints: they compare NFKC in small letters, which folds less.
    """
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def named_in(text: str, kept: Mapping[str, Iterable[str]]) -> str | None:
    """Whose name (or address) a text has in it, as whole words; None: nobody's.

    kept: texts of each person, by their wallet. Capital letters and blanks between words do not matter.
    """
    told = _spaced(text)
    for wallet, names in kept.items():
        for name in names:
            wanted = _spaced(name)
            if len(wanted.strip()) >= LETTERS_LEAST and wanted in told:
                return wallet
    return None


def _spaced(text: str) -> str:
    """The words of a text with one blank around each, without marks around them and a genitive's s."""
    words = (word.strip(_MARKS) for word in _folded(text).split())
    words = (word.removesuffix("'s").removesuffix("\u2019s") for word in words)
    return f" {' '.join(words)} "
