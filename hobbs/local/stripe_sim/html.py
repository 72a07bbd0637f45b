"""HTML of the pages that stand for Stripe's: text, buttons, and sending the browser on."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.world import Doc


def form(request: Request) -> Doc:
    """What the browser posted, or asked for in the address; the first of two equal names counts."""
    given = parse_qsl(request.body if request.method == "POST" else request.query)
    return dict(reversed(given))


def show(status: int, title: str, *parts: str) -> Answer:
    """A page; `parts` are HTML, `title` is text."""
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'
        "<title>Simulated Stripe</title>"
        f"<h1>{escape(title)}</h1>{''.join(parts)}</html>"
    )
    return Answer(status=status, body=body.encode(), content_type="text/html; charset=utf-8")


def buttons(name: str, *choices: tuple[str, str], fields: str = "") -> str:
    """A form that posts the value of the button that was pressed, with the HTML `fields` before them."""
    pressed = "".join(
        f'<button name="{escape(name)}" value="{escape(value)}">{escape(label)}</button> '
        for value, label in choices
    )
    return f'<form method="post">{fields}<p>{pressed}</p></form>'


def select(name: str, label: str, values: list[str]) -> str:
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    return f'<p><label>{escape(label)} <select name="{escape(name)}">{options}</select></label></p>'


def go(url: str, **query: str) -> Answer:
    """Send the browser on, with more parameters in the address."""
    parts = urlsplit(url)
    more = "&".join(filter(None, (parts.query, urlencode(query))))
    return Answer(status=303, body=b"", headers={"Location": urlunsplit(parts._replace(query=more))})
