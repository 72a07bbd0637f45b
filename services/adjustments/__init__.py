"""Corrections of bills: what they change, who approved it, how the money follows. Knows no rates."""
