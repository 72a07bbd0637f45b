"""Machinery every worker shares. It knows no business word and imports nothing of ours."""

from fleet import zones as zones  # before anything else asks for a time zone
