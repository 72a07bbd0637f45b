#!/bin/sh
# pytest 9.2.0: a fixture with scope="package" in the conftest.py of a folder that has no __init__.py.
# Guess: it ends when the last test of the folder has run, or pytest says that the folder is no package.
# Seen: it lives to the end of the session, without a word: the tests of other folders run beside it.
# Seen too: with an __init__.py in the folder it ends before the next folder's first test.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "pytest==9.2.0"
mkdir -p "$folder/tests/early" "$folder/tests/late"
cat > "$folder/tests/early/conftest.py" <<'PYTHON'
import pytest

@pytest.fixture(scope="package")
def server():
    yield
    print("server stops")
PYTHON
echo 'def test_early(server): print("early")' > "$folder/tests/early/test_early.py"
echo 'def test_late(): print("late")' > "$folder/tests/late/test_late.py"
cd "$folder"
order() { venv/bin/python -m pytest -s -q -p no:cacheprovider tests | grep -oE 'early|server stops|late' | tr '\n' ' '; }

said=$(order)
echo "no package: $said"
[ "$said" = "early late server stops " ] || { echo "changed: the fixture ends otherwise"; exit 1; }

touch tests/early/__init__.py
said=$(order)
echo "a package: $said"
[ "$said" = "early server stops late " ] || { echo "changed: in a package it ends otherwise"; exit 1; }
echo "as stated: without __init__.py the package's fixture outlived its folder"
