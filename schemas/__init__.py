"""Topics and event models: the only code that services share."""
