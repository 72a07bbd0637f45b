"""Who decides and why: options that are checked with the others, before anything is read, shown or asked."""

from typing import Annotated, Final

import typer

from hobbs.shell.login_name import NAMELESS, login_name

WHY_CHARS_MAX: Final = 2000
WHO_CHARS_MAX: Final = 100


def needed(why: str | None) -> str | None:
    """Refuse a blank reason; without blanks around it. None: the option was not given."""
    if why is not None and not why.strip():
        raise typer.BadParameter("say why: the reason is kept")
    return optional(why)


def optional(why: str | None) -> str | None:
    """Refuse only a reason that is too long to be kept; without blanks around it."""
    if why is not None and len(why) > WHY_CHARS_MAX:
        raise typer.BadParameter(f"why: a reason has at most {WHY_CHARS_MAX} characters, this one {len(why)}")
    return why and why.strip()


def who_or_login(named: str) -> str:
    """The name told, without what cannot be printed; else the login name."""
    shown = "".join(char for char in named or login_name() if char.isprintable()).strip()
    if named and len(shown) > WHO_CHARS_MAX:
        raise typer.BadParameter(
            f"who.name: a name has at most {WHO_CHARS_MAX} characters, this one {len(shown)}"
        )
    return shown[:WHO_CHARS_MAX] or NAMELESS


NeededWhyOption = Annotated[
    str, typer.Option("--why", help="The reason; it stays with the decision.", callback=needed)
]
WhyOption = Annotated[
    str, typer.Option("--why", help="The reason; it stays with the decision.", callback=optional)
]
WhoOption = Annotated[
    str,
    typer.Option(
        "--who", help="Who decides; your login name unless told.", callback=who_or_login, show_default=False
    ),
]
