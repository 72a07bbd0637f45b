"""The HTTP side: routes, limits, problems, the documentation page."""
