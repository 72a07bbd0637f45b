#!/bin/sh
# pg-mem 3.0.14 (npm), which stands in for Postgres in tests: a month added to a date, an amount of three decimals in a
# column of two, a sum of tenths, what is not in a list with a null, a whole number past 2^53.
# Guess: what Postgres 15 says: 2026-02-28, 1.01, 0.3, no row, and the number to its last digit; or that it is not supported.
# Seen: 2026-03-02, 1.005, 0.30000000000000004, one row, and a number that is one less. Months are counted as JavaScript
# counts them, numeric is a double whose scale is not applied, and nulls in a list are skipped: a test of a monthly
# bill or of an anti-join passes in memory on what Postgres never answers, and no error says so.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "pg-mem@3.0.14"
cat > asked.js <<'END'
const { newDb } = require("pg-mem");

const { public: schema } = newDb();
schema.none("create table charges (id int primary key, amount numeric(10, 2), tax numeric, units bigint)");
schema.none("insert into charges values (1, 1.005, 0.1, 9007199254740993), (2, 1.00, 0.2, 1)");
const one = (sql) => Object.values(schema.one(sql))[0];
console.log("31 January and a month:", one("select date '2026-01-31' + interval '1 month' as due").toISOString().slice(0, 10));
console.log("1.005 in numeric(10, 2):", one("select amount from charges where id = 1"));
console.log("0.1 and 0.2:", one("select sum(tax) as total from charges"));
console.log("not in (1, null):", one("select count(*) as n from charges where id not in (1, null)"), "row");
console.log("9007199254740993:", one("select units from charges where id = 1"));
END
cat > wanted <<'END'
31 January and a month: 2026-03-02
1.005 in numeric(10, 2): 1.005
0.1 and 0.2: 0.30000000000000004
not in (1, null): 1 row
9007199254740993: 9007199254740992
END
node asked.js > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a month after 31 January is in March"
