#!/bin/sh
# cel-js 0.8.2 (npm), beside @bufbuild/cel 0.6.1 and @marcbachmann/cel-js 8.0.0 (npm) and cel-python 0.5.0 (PyPI): rules about
# whole cents in the Common Expression Language, as a school would write a share of a fee, a split in two or a limit.
# Guess: an expression that all four read has one value. In CEL a number without a point is a whole number of 64 bits, and the
# quotient of two is cut off to a whole one.
# Seen: cel-js takes every number as a double: half of 7 cents is 3.5, 10 % of 1299 cents is 129.9, and 9007199254740993 equals
# 9007199254740992. The three others say 3, 129 and unequal. Nothing is refused or warned of, and a rule that one service was
# tried with charges otherwise in the next.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "cel-js@0.8.2" "@bufbuild/cel@0.6.1" \
  "@marcbachmann/cel-js@8.0.0"
python3 -m venv venv
venv/bin/pip install -q "cel-python==0.5.0"
cat > rules <<'END'
7 / 2
1299 * 10 / 100
9007199254740993 == 9007199254740992
END
cat > rules.mjs <<'END'
import { readFileSync } from "node:fs";
import { run } from "@bufbuild/cel";
import { evaluate as marcbachmann } from "@marcbachmann/cel-js";
import { evaluate } from "cel-js";

for (const rule of readFileSync("rules", "utf8").trim().split("\n")) {
  console.log(`${rule}: cel-js ${evaluate(rule)}, @bufbuild ${run(rule)}, @marcbachmann ${marcbachmann(rule)}`);
}
END
cat > rules.py <<'END'
import celpy

environment = celpy.Environment()
for rule in open("rules").read().splitlines():
    print(f"{rule}: cel-python {environment.program(environment.compile(rule)).evaluate({})}".lower())
END
cat > wanted <<'END'
7 / 2: cel-js 3.5, @bufbuild 3, @marcbachmann 3
1299 * 10 / 100: cel-js 129.9, @bufbuild 129, @marcbachmann 129
9007199254740993 == 9007199254740992: cel-js true, @bufbuild false, @marcbachmann false
7 / 2: cel-python 3
1299 * 10 / 100: cel-python 129
9007199254740993 == 9007199254740992: cel-python false
END
{ node rules.mjs; venv/bin/python rules.py; } > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: one rule, half a cent in one and none in three"
