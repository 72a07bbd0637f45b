"""Compares what two systems make of the same flights, to the cent and with a cause. Moves no money."""
