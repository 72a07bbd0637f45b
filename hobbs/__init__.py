"""The operator's command line of Hobbs, and the local stack it can run on."""
