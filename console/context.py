"""What every page has at hand: databases, templates, the school; and the visit that it answers."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from console import store
from console.readers import Lookout
from console.reads.school import School, school
from console.recent import Recent
from console.roles import Person
from console.settings import ConsoleSettings
from console.store.sessions import Session
from fleet.database import Database, Tx
from fleet.zones import local_date

SCHOOL_FOR_S: Final = 30.0


@dataclass(slots=True, kw_only=True)
class Console:
    """The console's process. `holders`: the database as a role that reads one wallet's money at a time."""

    settings: ConsoleSettings
    db: Database
    holders: Database
    templates: Environment
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    recent: Recent = field(default_factory=Recent)
    lookout: Lookout = field(init=False)
    _school: School | None = None
    _school_at: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.lookout = Lookout(settings=self.settings)

    async def school(self) -> School:
        """The school, as it was half a minute ago at most; as long as there is none it is looked for anew."""
        kept, age_s = self._school, time.monotonic() - self._school_at
        return kept if kept and kept.opened and age_s <= SCHOOL_FOR_S else await self.read_school()

    async def read_school(self) -> School:
        """The school as it is, kept for the next pages: everybody's name takes a while to read."""
        async with self.db.transaction() as tx:
            self._school = found = await school(tx)
        self._school_at = time.monotonic()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a person who is signed in and may see this page."""

    request: Request
    console: Console
    session: Session
    school: School

    @property
    def person(self) -> Person:
        return self.session.person

    @property
    def today(self) -> date:
        """The day on the school's calendar."""
        return local_date(self.console.clock(), self.school.zone)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """Lend a connection that reads published views: all of them for staff.

        Each statement is a transaction of its own: no view moves within one, and a page of two statements
        waits for the database two times instead of six.
        """
        async with self.console.db.autocommit() as tx:
            yield tx

    @asynccontextmanager
    async def reading_own(self) -> AsyncIterator[Tx]:
        """A transaction in which the database shows the holder's own wallet only, whatever the query says."""
        async with self.console.holders.transaction() as tx:
            await store.holders.speak_for(tx, self.person.wallet)
            yield tx

    def page(
        self, template: str, *, status: int = 200, as_of: datetime | None = None, **shown: Any
    ) -> HTMLResponse:
        """A page from a template, which also knows the visit and the time.

        as_of: when what it shows was read, where that was not now.
        """
        text = self.console.templates.get_template(template).render(
            visit=self,
            person=self.person,
            school=self.school,
            now=self.console.clock(),
            as_of=as_of or self.console.clock(),
            path=self.request.url.path,
            theme=self.request.cookies.get("theme", "auto"),
            **shown,
        )
        return HTMLResponse(text, status_code=status)
