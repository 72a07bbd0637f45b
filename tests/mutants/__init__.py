"""Mutation tests: small patches, each of which breaks one rule, and the tests that must fail on each.

`python -m tests.mutants [NAME…]` (`make mutants`) copies the sources of the working tree, breaks the copy in
one place at a time and runs there the tests that should fail. `--list` names the mutants, `--jobs` says how
many are tried at once.

* mutant.py: what a mutant is: text that stands exactly once in a file, and its replacement.
* *_mutants.py: the mutants, by the code that they break; catalogue.py: the list of all.
* trial.py: a copy of the tree, and one pytest session in it.
* witness.py: the pytest plugin that reports the first failure and which files were imported.
* test_catalogue.py: part of `make test`: every mutant still applies, without running any.

A mutant is caught when a test fails in its own body by an assertion or an error. When instead the collection
or a fixture fails, or a name or column does not exist, the mutant is broken, and the run fails.
"""
