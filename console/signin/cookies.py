"""The session's cookie: a secret that a page's script cannot read and another site cannot send."""

import secrets
from datetime import timedelta
from typing import Final

from fastapi.responses import Response

from console import store
from console.context import Console
from console.guard import cookie_name
from console.roles import Person

SECRET_BYTES: Final = 32


async def begin_session(
    console: Console,
    response: Response,
    person: Person,
    *,
    came_by: str,
    provider_session: str | None = None,
    subject: str | None = None,
) -> None:
    """Begin a session with a new cookie: whatever the browser had before is worth nothing."""
    cookie, hours = secrets.token_urlsafe(SECRET_BYTES), console.settings.console_session_hours
    async with console.db.transaction() as tx:
        await store.sessions.begin(
            tx,
            cookie,
            person,
            form_token=secrets.token_urlsafe(SECRET_BYTES),
            came_by=came_by,
            lasts=timedelta(hours=hours),
            provider_session=provider_session,
            subject=subject,
        )
    set_cookie(console, response, cookie_name(console), cookie, max_age_s=hours * 3600)


def set_cookie(console: Console, response: Response, name: str, value: str, *, max_age_s: int) -> None:
    """A cookie of this host. Lax: a link in a mail finds its reader signed in; a foreign form does not."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=console.settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(console: Console, response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=console.settings.is_secure, httponly=True, samesite="lax")
