"""Finds secrets and personal data in text that must have none."""

import re
import tomllib
from collections.abc import Iterator

from hobbs.demo.school import SCHOOL_FILE

ANY_SECRET = re.compile(r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w+|\w+://[^\s/:\"]+:[^\s/@\"]+@")
ANY_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}")
ROLES_OF_PEOPLE = ("student", "instructor", "owner")


def leaks(text: str, words: set[str], pattern: re.Pattern[str]) -> set[str]:
    """The words that the text contains, in any case, and everything that matches the pattern."""
    lowered = text.lower()
    found = {word for word in words if re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", lowered)}
    return found | set(pattern.findall(text))


def names_in_the_school() -> Iterator[str]:
    """Full names, their parts, and mail addresses of the demo's school."""
    school = tomllib.loads(SCHOOL_FILE.read_text())
    for role in ROLES_OF_PEOPLE:
        for person in school[role]:
            yield person["name"]
            yield person["email"]
            yield from person["name"].split()
