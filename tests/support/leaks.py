"""Secrets and people, looked for in text that should name neither."""

import re
import tomllib
from collections.abc import Iterator

from hobbs.demo.school import SCHOOL_FILE

ANY_SECRET = re.compile(r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w+|\w+://[^\s/:\"]+:[^\s/@\"]+@")
ANY_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}")
ROLES_OF_PEOPLE = ("student", "instructor", "owner")


def leaks(text: str, words: set[str], pattern: re.Pattern[str]) -> set[str]:
    """Which of the words stand in the text, in whatever case, and what else looks like one of them."""
    lowered = text.lower()
    there = {word for word in words if re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", lowered)}
    return there | set(pattern.findall(text))


def names_in_the_school() -> Iterator[str]:
    """Names whole and by the word, and addresses; not the words that identifiers are made of."""
    school = tomllib.loads(SCHOOL_FILE.read_text())
    for role in ROLES_OF_PEOPLE:
        for person in school[role]:
            yield person["name"]
            yield person["email"]
            yield from person["name"].split()
