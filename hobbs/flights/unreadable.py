"""What a file that cannot be read at all raises."""


class FileUnreadable(Exception):
    """The file as a whole cannot be read; the message says why and the way out."""
