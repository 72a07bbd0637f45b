"""What `--map COLUMN=NAME` options say of a file's columns. Pure."""

from collections.abc import Sequence

from hobbs.flights.unreadable import FileUnreadable


def column_map(pairs: Sequence[str], names: Sequence[str], *, unnamed: bool = False) -> dict[str, str]:
    """Read the options: the file's column on the left, one of our `names` on the right.

    unnamed: `=NAME` is the column without a name. Raises FileUnreadable.
    """
    mapped: dict[str, str] = {}
    for pair in pairs:
        column, equals, name = (part.strip() for part in pair.rpartition("="))
        if not equals or not (column or unnamed):
            raise FileUnreadable(f"--map {pair!r}: write it as COLUMN=NAME, such as 'No.={names[0]}'")
        if name not in names:
            turned = f" (or did you mean {name}={column}?)" if column in names else ""
            raise FileUnreadable(
                f"--map {pair!r}: {name!r} is none of ours; the names are {', '.join(names)}{turned}"
            )
        if column in mapped or name in mapped.values():
            raise FileUnreadable(f"--map {pair!r}: that column or name is mapped twice")
        mapped[column] = name
    return mapped
