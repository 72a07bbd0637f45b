"""Finds the line of a table or a setting in a TOML file, which tomllib does not say. Pure.

Reads headers and `key =` at the start of a line; good enough to point at, never used to read a value.
"""

import re

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?")
_SETTING = re.compile(r"""\s*["']?(?P<name>[A-Za-z0-9_-]+)["']?\s*[=.]""")
_PLACE = re.compile(r"at line (\d+)")


class Lines:
    """Line numbers, from 1, by table, its index, and setting."""

    def __init__(self, text: str) -> None:
        self._last = text.count("\n") + 1
        self._tables: dict[tuple[str, int], int] = {}
        self._settings: dict[tuple[str, int, str], int] = {}
        counts: dict[str, int] = {}
        table, index = "", 0
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.match(line):
                name, _, sub = header["name"].replace('"', "").partition(".")
                if sub:
                    self._settings.setdefault((table, index, sub), number)
                    continue
                table, index = name, counts.get(name, 0)
                counts[name] = index + 1
                self._tables[(table, index)] = number
            elif setting := _SETTING.match(line):
                self._settings.setdefault((table, index, setting["name"]), number)

    def of(self, table: str, index: int = 0, setting: str | None = None) -> int:
        """The setting's line, else its table's, else the first."""
        place = self._tables.get((table, index)) or self._settings.get(("", 0, table), 1)
        return self._settings.get((table, index, setting), place) if setting else place

    def of_syntax_error(self, message: str) -> int:
        """The line a TOML syntax error names; the last one when it is the end of the file."""
        found = _PLACE.search(message)
        return int(found[1]) if found else self._last
