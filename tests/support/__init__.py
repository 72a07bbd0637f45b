"""Code that tests of several services share."""
