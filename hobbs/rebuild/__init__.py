"""A service's tables anew from topics that are kept for ever, beside the live ones, then in their place."""
