"""Tests of the tests: small patches that break the promise, and the suite that must catch each of them.

`python -m tests.mutants [NAME…]` (`make mutants`) copies the sources of the working tree, breaks the copy in
one place at a time and runs there the tests that should notice. `--list` names the mutants, `--jobs` says how
many are tried at once.

* mutant.py: what a mutant is: exact text that stands once in a file, and what takes its place.
* of_the_machinery.py, of_payouts.py, of_the_books.py, catalogue.py: the mutants, by where they bite.
* trial.py: a copy of the tree, and one pytest session in it.
* witness.py: the pytest plugin that says what failed first, how, and whose code was imported.
* test_catalogue.py: part of `make test`: every mutant still applies, without running any.

A mutant is caught when a test fails in its own body by an assertion or an error. A collection that breaks, a
fixture that fails, a name or a column that does not exist: that is a broken mutant, and fails the run.
"""
