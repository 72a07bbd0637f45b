"""Whether a school may cut over to Hobbs: a list, each item read from published views."""
