"""Finding from any page: people by name, flights, payments and transfers by id, what has an amount."""

import re

import pytest

from tests.conftest import OpenDatabase
from tests.integration.console.conftest import Desk
from tests.integration.console.test_clicks import one_of_each  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("one_of_each")


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("F100", "/flights/F100"),
        (" F100 ", "/flights/F100"),
        ("student:student-02", "/students/student-02"),
        ("student-02", "/students/student-02"),
    ],
)
async def test_one_thing_alone_is_opened_at_once(desk: Desk, asked: str, page: str) -> None:
    vera = await desk.browser("vera")
    answer = await vera.get("/find", params={"q": asked})
    assert (answer.status_code, answer.headers.get("location")) == (303, page)


async def test_transfers_are_found_by_the_begin_of_their_id_and_payments_by_their_amount(
    desk: Desk, open_db: OpenDatabase
) -> None:
    vera = await desk.browser("vera")
    async with open_db("console").transaction() as tx:
        transfer = (await tx.all("SELECT id::text AS id FROM payouts_public.transfers ORDER BY id LIMIT 1"))[
            0
        ]
        paid = (await tx.all("SELECT charge_id, amount FROM receivables_public.payments LIMIT 1"))[0]
    begin = transfer.id[:8]
    answer = await vera.get("/find", params={"q": begin}, follow_redirects=True)
    assert f"/transfers/{transfer.id}" in str(answer.url) + answer.text
    assert (await vera.get("/find", params={"q": paid.charge_id})).headers["location"] == (
        f"/payments/{paid.charge_id}"
    )
    for text in (f"{paid.amount / 100:.2f}", f"-{paid.amount / 100:,.2f}"):
        answer = await vera.get("/find", params={"q": text}, follow_redirects=True)
        assert f"/payments/{paid.charge_id}" in str(answer.url) + answer.text


async def test_what_is_nowhere_teaches_and_every_page_has_the_field(desk: Desk) -> None:
    vera, student = await desk.browser("vera"), await desk.browser("student-01")
    said = (await vera.get("/find", params={"q": "nobody<b>"})).text
    assert "Nothing is called nobody&lt;b&gt;" in said
    assert "Write a name" in (await vera.get("/find")).text
    for page in ("/", "/transfers", "/dead"):
        assert re.search(r'action="/find"', (await vera.get(page)).text)
    assert 'action="/find"' not in (await student.get("/own")).text
    assert (await student.get("/find", params={"q": "student-02"})).status_code == 403


@pytest.mark.parametrize(
    "asked", ["0", "-0", "1e9", "9" * 40, "%", "'", "a:b:c", "ffffffff", "-", "F1:9", "٣"]
)
async def test_odd_words_break_nothing(desk: Desk, asked: str) -> None:
    vera = await desk.browser("vera")
    assert (await vera.get("/find", params={"q": asked})).status_code in (200, 303)
