"""A mutant: one small change that breaks a rule, as exact text and its replacement."""

import ast
from dataclasses import dataclass
from pathlib import Path


class DoesNotApply(Exception):
    """The text that a mutant replaces does not stand exactly once, or the result is no Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Text that stands exactly once in a file, and its replacement."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`breaks`: one sentence about what goes wrong; `catchers`: node ids of tests, of which one must fail."""

    name: str
    breaks: str
    edits: tuple[Edit, ...]
    catchers: tuple[str, ...]


def mutated(mutant: Mutant, tree: Path) -> dict[str, str]:
    """The changed files of a tree, by path. Raises DoesNotApply."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        text = texts.get(edit.path) or (tree / edit.path).read_text(encoding="utf-8")
        found = text.count(edit.old)
        if found != 1:
            raise DoesNotApply(
                f"mutant {mutant.name}: the text to replace stands {found} times in {edit.path}, not once; "
                f"write the mutant again:\n{edit.old}"
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
