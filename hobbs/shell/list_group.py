"""A group of commands whose name alone lists: holds student:s-1 is holds list student:s-1."""

from typing import Any

from typer.core import TyperGroup


class ListByDefault(TyperGroup):
    """Takes what is no command's name as an argument of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args[:1] and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["list", *args])
