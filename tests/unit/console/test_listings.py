"""What every list promises, whatever it is of."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import console.reads
from console.reads.margins import LISTINGS as MARGINS
from console.reads.tables import Listing
from tests.support.console import console_nowhere, pages_of

BENCH = Path(__file__).parents[3] / "bench" / "console.py"
# An account line by line: what an amount consists of stands beside it, in the same row.
BY_HAND = {"statement", "statement-of-a-month"}


def listings() -> list[Listing]:
    """Every list of the console, each once."""
    found = list(MARGINS.values())
    for module in pkgutil.iter_modules(console.reads.__path__, "console.reads."):
        found += [
            one for one in vars(importlib.import_module(module.name)).values() if isinstance(one, Listing)
        ]
    return list({one.name: one for one in found}.values())


@pytest.mark.parametrize("listing", listings(), ids=lambda one: one.name)
def test_every_amount_of_a_list_leads_to_what_it_consists_of(listing: Listing) -> None:
    shown = [one for one in listing.columns if one.kind == "money" and not one.export_only]
    assert listing.name in BY_HAND or listing.thing or all(one.link for one in shown)


@pytest.mark.parametrize("listing", listings(), ids=lambda one: one.name)
def test_an_empty_list_teaches_something(listing: Listing) -> None:
    assert listing.name in BY_HAND or len(listing.empty) > 20


# A wallet of an instructor is measured: what students alone have is read like it.
NOT_MEASURED = {"/own/card", "/own/charges", "/own/items", "/own/payments", "/own/requests", "/margin"}


def test_the_bench_asks_for_every_page_that_needs_no_name() -> None:
    asked = set(re.findall(r'"(/[^"?]*)', BENCH.read_text(encoding="utf-8")))
    known = {page for page in pages_of(console_nowhere()) if "{" not in page and not page.startswith("/log")}
    assert known - asked - NOT_MEASURED == set()
