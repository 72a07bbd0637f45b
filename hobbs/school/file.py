"""Reads a school.toml: every dated card it states, or what is wrong with it, each with its line.

Pure; services/billing/README.md describes the format. Money and percent are read exactly, never as floats.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hobbs.school.contacts import StatedContact
from hobbs.school.lines import Lines
from hobbs.school.settings import TABLES, Misread, Table
from schemas.contacts import Text
from schemas.fields import Currency
from schemas.identifiers import NewIdentifier, identifier_problem
from schemas.school import CONTACT, PEOPLE
from schemas.school import read_card as read_published_card
from services.billing.domain.card_documents import read_card
from services.billing.domain.rates import BEGINNING, Book, BookCard, DatedCard, book_problems
from services.billing.domain.versions import CardChange, change_problems

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REFERENCES = frozenset({"owner", "also_instructor", "also_owner"})
DATES = (date(1900, 1, 1), date(2200, 12, 31))
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(NewIdentifier)
_CURRENCY: TypeAdapter[str] = TypeAdapter(Currency)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and on which line of the file."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCard:
    """One dated card as the file states it; `document` is as it will be published."""

    kind: str
    key: str
    effective_from: date
    document: dict[str, Any]
    card: BookCard
    line: int


@dataclass(slots=True, kw_only=True)
class SchoolFile:
    """What a file states. Cards and contacts are of use only when there is no problem."""

    currency: str = "USD"
    cards: list[StatedCard] = field(default_factory=list)
    contacts: list[StatedContact] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_school_file(text: str) -> SchoolFile:
    """Read a whole file; every problem found, in the order of its lines."""
    found, lines = SchoolFile(), Lines(text)
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # also an integer of thousands of digits, endless nesting
        found.problems.append(Problem(line=lines.of_syntax_error(str(error)), sentence=f"not TOML: {error}"))
        return found
    found.currency = _currency(document)
    for name, value in document.items():
        if name not in TABLES:
            known = ", ".join(TABLES)
            found.problems.append(
                Problem(line=lines.of(name), sentence=f"unknown table {name}; known: {known}")
            )
        else:
            _read_tables(name, value, lines, found)
    if "school" not in document:
        found.problems.append(
            Problem(line=1, sentence="there is no [school] with name, time_zone and currency")
        )
    _refuse_repeats(found)
    _refuse_unknown_references(found)
    found.problems.sort(key=lambda problem: problem.line)
    return found


def _currency(document: Mapping[str, Any]) -> str:
    school = document.get("school")
    try:
        return _CURRENCY.validate_python(school["currency"] if isinstance(school, dict) else None)
    except (ValidationError, KeyError):
        return "USD"  # so that the rest is read too; the school's own card is refused


def _read_tables(name: str, value: Any, lines: Lines, found: SchoolFile) -> None:
    single = name == "school" or (TABLES[name].repeats and isinstance(value, dict))
    if not isinstance(value, dict if single else list) or (
        not single and not all(isinstance(x, dict) for x in value)
    ):
        shape = f"[{name}]" if single else f"[[{name}]]"
        found.problems.append(Problem(line=lines.of(name), sentence=f"write {name} as {shape}"))
        return
    for index, table in enumerate([value] if single else value):
        at = _Place(lines=lines, table=name, index=index)
        problems = len(found.problems)
        card = _read_table(name, table, at, found)
        _refuse_unfilled(table, at, found, found.problems[problems:])
        if card is not None and len(found.problems) == problems:
            found.cards.append(card)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    lines: Lines
    table: str
    index: int

    def problem(self, sentence: str, setting: str | None = None) -> Problem:
        return Problem(
            line=self.lines.of(self.table, self.index, setting), sentence=f"{self.table}: {sentence}"
        )


def _read_table(name: str, table: Mapping[str, Any], at: _Place, found: SchoolFile) -> StatedCard | None:
    shape = TABLES[name]
    known = {*shape.settings, *shape.identity, *(["effective_from"] if shape.dated else [])}
    unknown = [setting for setting in table if setting not in known]
    found.problems += [at.problem(f"unknown setting {setting}", setting) for setting in unknown]
    key = _key(shape, table, at, found)
    effective_from = _effective_from(table, at, found) if shape.dated else BEGINNING
    document = _document(shape, table, at, found)
    contact = _contact(name, document or {}, at, found)
    if document is not None:
        document = {setting: value for setting, value in document.items() if setting not in contact}
        document = _canonical(name, document, table, at, found) if _plain(document, at, found) else None
    if key is None or effective_from is None or document is None:
        return None
    card = read_card(name, document)
    change = CardChange(kind=name, key=key, effective_from=effective_from, document=document, card=card)
    named = "" if key == name else f"{key}: "
    for problem in map(as_written, change_problems(change)):
        found.problems.append(at.problem(named + problem, _setting_in(problem, table)))
    line = at.lines.of(name, at.index)
    if name in PEOPLE:
        wallet = f"{PEOPLE[name]}:{key}"
        texts = {"full_name": contact.get("name", ""), "email": contact.get("email", "")}
        found.contacts.append(StatedContact(wallet=wallet, effective_from=effective_from, **texts))
    return StatedCard(
        kind=name, key=key, effective_from=effective_from, document=document, card=card, line=line
    )


def _contact(name: str, document: Mapping[str, Any], at: _Place, found: SchoolFile) -> dict[str, str]:
    """What a person's table says of them: it becomes no part of the card."""
    said = {setting: document[setting] for setting in CONTACT & document.keys()} if name in PEOPLE else {}
    for setting, value in said.items():
        try:
            _TEXT.validate_python(value, strict=True)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]["msg"]
            found.problems.append(at.problem(f"{setting}: {problem}", setting))
    return said


def _refuse_unfilled(
    table: Mapping[str, Any], at: _Place, found: SchoolFile, named: Iterable[Problem]
) -> None:
    """Name the places of a draft that nobody filled in, unless what they should be is named already."""
    lines = {problem.line for problem in named}
    unfilled = {name: text for name, value in table.items() for text in _unfilled(value)}
    problems = [
        at.problem(f"{name} is {json.dumps(text)}: fill it in", name) for name, text in unfilled.items()
    ]
    found.problems += [problem for problem in problems if problem.line not in lines]


def _unfilled(value: Any) -> list[str]:
    """The texts, also in a list or an inner table, where a "?" of a draft or nothing stands."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for one in inner for text in _unfilled(one)]
    return [value] if isinstance(value, str) and not value.strip(" \t?\uff1f") else []


def _plain(document: Mapping[str, Any], at: _Place, found: SchoolFile) -> bool:
    """Whether the card names others by plain ids; the others are problems."""
    named = {name: document[name] for name in _REFERENCES if isinstance(document.get(name), str)}
    wrong = {name: problem for name, value in named.items() if (problem := identifier_problem(value))}
    found.problems += [at.problem(f"{name}: {problem}", name) for name, problem in wrong.items()]
    return not wrong


def _key(shape: Table, table: Mapping[str, Any], at: _Place, found: SchoolFile) -> str | None:
    try:
        return _IDENTIFIER.validate_python(shape.key(table), strict=True)
    except Misread as error:
        found.problems.append(at.problem(str(error)))
    except ValidationError as error:
        setting = next((s for s in shape.identity if s in table), None)
        text = f"{setting} must be text in quotes, 1 to 100 characters"
        if error.errors()[0]["type"] == "value_error":
            text = f"{setting}: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        found.problems.append(at.problem(text, setting))
    return None


def _effective_from(table: Mapping[str, Any], at: _Place, found: SchoolFile) -> date | None:
    value = table.get("effective_from", BEGINNING)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if _DATE.fullmatch(value) else None
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime) and DATES[0] <= value <= DATES[1]:
        return value
    found.problems.append(at.problem("effective_from must be a date such as 2026-01-31", "effective_from"))
    return None


def _document(shape: Table, table: Mapping[str, Any], at: _Place, found: SchoolFile) -> dict[str, Any] | None:
    document: dict[str, Any] = {}
    failed = False
    for name, value in table.items():
        setting = shape.settings.get(name)
        if setting is None:
            continue
        try:
            document[setting.name] = setting.read(value, found.currency)
        except Misread as error:
            found.problems.append(at.problem(f"{name} {error}", name))
            failed = True
    return None if failed else document


def _canonical(
    name: str, document: dict[str, Any], table: Mapping[str, Any], at: _Place, found: SchoolFile
) -> dict[str, Any] | None:
    """The card's document with defaults left out, so that equal cards are equal documents."""
    try:
        return canonical(name, document)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            setting = as_written(str(problem["loc"][0]))
            missing = problem["type"] == "missing"
            text = f"{setting} is missing" if missing else f"{setting}: {problem['msg']}"
            found.problems.append(at.problem(text, setting if setting in table else None))
        return None


def canonical(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """A card's document in the one form in which equal cards are equal. Raises pydantic.ValidationError."""
    model = read_published_card(kind, document)  # type: ignore[arg-type]
    return model.model_dump(mode="json", exclude_defaults=True)


def as_written(text: str) -> str:
    """Replace a card's names of settings by the file's: `_ppm` is `_percent` there."""
    return text.replace("_ppm", "_percent").replace("tax_percent", "percent")


def _setting_in(sentence: str, table: Mapping[str, Any]) -> str | None:
    words = sentence.replace(",", " ").split()
    return next((word for word in reversed(words) if word in table), None)


def _refuse_repeats(found: SchoolFile) -> None:
    first: dict[tuple[str, str, date], StatedCard] = {}
    for card in found.cards:
        place = (card.kind, card.key, card.effective_from)
        before = first.setdefault(place, card)
        if before is not card:
            text = f"{card.kind} {card.key} from {card.effective_from} is already on line {before.line}"
            found.problems.append(Problem(line=card.line, sentence=text))


def _refuse_unknown_references(found: SchoolFile) -> None:
    if found.problems:
        return  # a card that could not be read would be reported again, as one that is not there
    lines = {(card.kind, card.key, card.effective_from): card.line for card in found.cards}
    for dated, sentence in book_problems(book_of(found.cards)):
        line = lines[(dated.kind, dated.key, dated.effective_from)]
        found.problems.append(Problem(line=line, sentence=f"{dated.kind} {dated.key}: {sentence}"))


def book_of(cards: Iterable[StatedCard], version: int = 0) -> Book:
    """The file's cards as a book to price by."""
    return Book(_dated(cards, version), version=version)


def _dated(cards: Iterable[StatedCard], version: int) -> Iterator[DatedCard]:
    for one in cards:
        yield DatedCard(
            kind=one.kind,
            key=one.key,
            effective_from=one.effective_from,
            version=version,
            card=one.card,
        )
