"""Reads flights from a file and publishes them; makes API keys for those who publish over HTTP."""
