"""Files of functions are written in one way: keywords in upper case, each head in one form."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("services/*/functions/*.sql"), *ROOT.glob("fleet/sql/functions/*.sql")])

# Comments, strings and quoted names are nobody's keywords; PL/pgSQL's own directive is in lower case.
_TEXT = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|#variable_conflict use_column")
_KEYWORDS = re.compile(
    r"\b(select|from|where|join|group by|order by|having|limit|insert|into|update|delete|returning|values|and"
    r"|or|not|null|is|exists|case|when|then|else|end|begin|declare|if|elsif|loop|perform|return|returns|raise"
    r"|create|function|language|security|definer|grant|on|as|distinct|with)\b"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}/{file.name}")
def test_keywords_are_in_upper_case(file: Path) -> None:
    code = _TEXT.sub("", file.read_text(encoding="utf-8"))
    assert set(_KEYWORDS.findall(code)) == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}/{file.name}")
def test_a_function_says_result_language_and_settings_on_lines_of_their_own(file: Path) -> None:
    heads = re.findall(r"^CREATE (?:.|\n)*?AS \$\$", file.read_text(encoding="utf-8"), re.MULTILINE)
    form = re.compile(
        r"CREATE OR REPLACE FUNCTION (?:(?:\w+|<service>)_public\.)?\w+\((?:.|\n)*?\)\n"
        r"(?:    RETURNS (?:.|\n)+?\n)?"
        r"    LANGUAGE [^\n]+\n(?:    SET [^\n]+\n)*    AS \$\$"
    )
    assert [head for head in heads if not form.fullmatch(head)] == []
    # A constraint, which follows the table of topics; and grants.
    assert heads or file.name in ("outbox_topics.sql", "people_of_operations.sql")
