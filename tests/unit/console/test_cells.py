"""A list's rows as HTML: each kind of column, its link, and nothing of a person's text as markup."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from markupsafe import Markup

from console.cells import NOTHING, cell, rows
from console.reads.school import School
from console.reads.tables import Column, Listing

SCHOOL = School(
    name="A school",
    zone="America/New_York",
    currency="USD",
    people={"student:ann": "Ann <b>Bold</b>"},
)
AT = datetime(2026, 5, 22, 18, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("text", "<script>&", "&lt;script&gt;&amp;"),
        ("money", -123450, '<span class="money minus">-1,234.50</span>'),
        ("number", 7, "7"),
        ("hours", 13, "1.3"),
        ("flag", False, "no"),
        ("date", date(1900, 1, 1), "the beginning"),
        ("date", date(2026, 5, 22), "2026-05-22"),
        ("state", 'not_"ready"', '<span class="state state-not-&#34;ready&#34;">not &#34;ready&#34;</span>'),
        ("instant", AT, f'<time datetime="{AT.isoformat()}">2026-05-22 14:03 EDT</time>'),
        ("source", "flight:<a>:2", "flight &lt;a&gt;, revision 2"),
        ("list", ["flight:x:1", "<b>"], "flight x, &lt;b&gt;"),
        ("who", "<i>", '<span>&lt;i&gt;<small class="address">&lt;u&gt;</small></span>'),
        ("text", "", NOTHING),
        ("money", None, NOTHING),
    ],
)
def test_each_kind_of_cell_says_what_it_holds(kind: Any, value: Any, shown: str) -> None:
    row = {"it": value, "currency": "USD", "login": "<u>"}
    assert cell(Column(name="it", title="It", kind=kind), row, SCHOOL) == shown


def test_a_cell_leads_where_its_column_says_with_the_row_s_name_as_one_part_of_the_way() -> None:
    row = {"it": "a/b?c", "currency": "USD"}
    found = cell(Column(name="it", title="It", link="/x/{it}?as=1&b=2"), row, SCHOOL)
    assert found == '<a href="/x/a%2Fb%3Fc?as=1&amp;b=2">a/b?c</a>'
    wallet = Column(name="it", title="It", kind="wallet", of="student:")
    found = cell(wallet, {"it": "ann"}, SCHOOL)
    assert found.startswith('<a href="/wallets/student%3Aann">Ann &lt;b&gt;Bold&lt;/b&gt;<small')


def test_an_amount_of_another_currency_says_which_and_leads_to_what_the_row_is_of() -> None:
    listing = Listing(
        name="x",
        title="X",
        sql="",
        key="it",
        order="it",
        columns=(
            Column(name="it", title='The "it"', link="/x/{it}"),
            Column(name="amount", title="Amount", kind="money"),
            Column(name="currency", title="Currency", export_only=True),
        ),
    )
    found = rows(listing, [{"it": "a", "amount": 5, "currency": "EUR"}], SCHOOL)
    assert isinstance(found, Markup)
    assert found.count('<a href="/x/a">') == 2
    assert "<small>EUR</small>" in found
    assert 'data-title="The &#34;it&#34;"' in found
    assert "Currency" not in found
