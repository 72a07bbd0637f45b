"""The school's people in a browser: it reads published views and asks services for decisions."""
