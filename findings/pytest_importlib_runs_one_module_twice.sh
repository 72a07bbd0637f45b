#!/bin/sh
# pytest 9.2.0, --import-mode=importlib: two test modules of one name, in packages of one name, lie in folders that
# are no packages (unit/pay/test_sum.py and integration/pay/test_sum.py; pay/ has an __init__.py, unit/ has none).
# Guess: this import mode keeps modules of one name apart, or pytest reports the clash.
# Seen: it collects both files without a word, but runs the first file's tests under both names. The second
# file's test, which fails, never runs: exit 0, "2 passed".
# Seen too: with an __init__.py in unit/ and integration/ the failing test runs: exit 1.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "pytest==9.2.0"
mkdir -p "$folder/tests/unit/pay" "$folder/tests/integration/pay"
touch "$folder/tests/unit/pay/__init__.py" "$folder/tests/integration/pay/__init__.py"
echo 'def test_first(): assert 1 + 1 == 2' > "$folder/tests/integration/pay/test_sum.py"
echo 'def test_second(): assert 1 + 1 == 3' > "$folder/tests/unit/pay/test_sum.py"
cd "$folder"
run() { venv/bin/python -m pytest --import-mode=importlib -q -rA -p no:cacheprovider tests 2>&1; }

said=$(run) || { echo "changed: the clash fails now: $said"; exit 1; }
echo "$said"
echo "$said" | grep -q "2 passed" || { echo "changed: not two passed"; exit 1; }
echo "$said" | grep -q "test_second" && { echo "changed: the second file's test ran"; exit 1; }

touch tests/unit/__init__.py tests/integration/__init__.py
if run > told; then echo "changed: the failing test is not run in packages either"; exit 1; fi
grep -q "FAILED tests/unit/pay/test_sum.py::test_second" told || { echo "changed: another test failed"; exit 1; }
echo "as stated: without packages around them, one file's tests ran twice and the other's never"
