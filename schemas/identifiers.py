"""Ids where they first enter Hobbs: two that look alike must be the same id.

A flight id with a blank that nobody sees is another flight, and another bill. So what others publish (flights
and the cards of the school's book) is held to this rule; it refuses and changes nothing. Events that report
what has happened carry ids as they are (`schemas.fields.Identifier`): what was accepted stays readable.
"""

import json
import unicodedata
from typing import Annotated, Any

from pydantic import BeforeValidator

from schemas.fields import Identifier

_SHOWN_CHARS = 60
# Control, format, private use, surrogate; line and paragraph separators; blanks other than the keyboard's.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"})
# Letters, marks and symbols that show nothing: fillers, joiners, variation selectors, the empty Braille cell.
_UNSEEN = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


def identifier_problem(value: str) -> str | None:
    """What is wrong with an id, as a sentence that shows it with escapes; None when it is plain."""
    if value.isascii() and value.isprintable() and value == value.strip() and "  " not in value:
        return None
    fault = _fault(value)
    return fault and f"{json.dumps(value[:_SHOWN_CHARS])} {fault}"


def _fault(value: str) -> str | None:
    for place, char in enumerate(value, start=1):
        if (char != " " and unicodedata.category(char) in _UNSEEN_CATEGORIES) or char in _UNSEEN:
            name = unicodedata.name(char, "a control character")
            return f"has U+{ord(char):04X} ({name}) at character {place}; write the id without it"
    if value.startswith(" ") or value.endswith(" "):
        return f"{'begins' if value.startswith(' ') else 'ends'} with a blank; write the id without it"
    if "  " in value:
        return "has two blanks in a row; write one"
    if not unicodedata.is_normalized("NFC", value):
        return "has letters and their marks as separate characters; write it in composed form (Unicode NFC)"
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, str) and (problem := identifier_problem(value)):
        raise ValueError(problem)
    return value


NewIdentifier = Annotated[Identifier, BeforeValidator(_plain)]
