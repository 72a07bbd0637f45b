"""A mutant: one small change that breaks a promise, as exact text to find and what to put in its place."""

import ast
from dataclasses import dataclass
from pathlib import Path


class DoesNotApply(Exception):
    """The text that a mutant changes is no longer there once, or what it leaves is no Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """In one file, text that stands there exactly once, and what replaces it."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`breaks` says in one sentence what goes wrong; `catchers` are the tests to notice it, by node id."""

    name: str
    breaks: str
    edits: tuple[Edit, ...]
    catchers: tuple[str, ...]


def mutated(mutant: Mutant, tree: Path) -> dict[str, str]:
    """What the mutant makes of a tree's files, by path. Raises DoesNotApply."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        text = texts.get(edit.path) or (tree / edit.path).read_text(encoding="utf-8")
        found = text.count(edit.old)
        if found != 1:
            raise DoesNotApply(
                f"mutant {mutant.name}: the text to change stands {found} times in {edit.path}, not once; "
                f"write the mutant anew:\n{edit.old}"
            )
        texts[edit.path] = text.replace(edit.old, edit.new)
    for path, text in texts.items():
        _compile(mutant, path, text)
    return texts


def _compile(mutant: Mutant, path: str, text: str) -> None:
    if path.endswith(".py"):
        try:
            ast.parse(text, path)
        except SyntaxError as error:
            raise DoesNotApply(f"mutant {mutant.name} leaves {path} no Python: {error}") from error
