"""Machinery every worker shares. It knows no business word and imports nothing of ours."""
