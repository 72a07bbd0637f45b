#!/bin/sh
# cron 0.17.0 (Rust), beside croniter 7.0.0 (PyPI): payouts at 9:00 on weekdays, "1-5" in the field of the day of the week, and
# on the first of the month or on Mondays, "1 * 1", with a field of seconds in front as the crate asks for one.
# Guess: as in crontab(5), 1 is Monday, and two fields of days are joined by "or": Monday to Friday; the 1st and each Monday.
# Seen: 1 is Sunday, as in Quartz, so that "1-5" is Sunday to Thursday; and days are joined by "and": the 1st when it is a
# Sunday, which is once in 2027. Neither is an error: both expressions are valid in both. With names, "Mon-Fri", both agree.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"

[dependencies]
chrono = "=0.4.45"
cron = "=0.17.0"
END
cat > src/main.rs <<'END'
use chrono::{TimeZone, Utc};
use cron::Schedule;
use std::str::FromStr;

fn main() {
    let friday = Utc.with_ymd_and_hms(2027, 1, 1, 12, 0, 0).unwrap();
    for days in ["* * 1-5", "* * Mon-Fri", "1 * 1"] {
        let schedule = Schedule::from_str(&format!("0 0 9 {days}")).unwrap();
        let next: Vec<String> = schedule.after(&friday).take(5).map(|t| t.format("%a %F").to_string()).collect();
        println!("cron {days}: {}", next.join(", "));
    }
}
END
cat > expected.py <<'END'
from datetime import UTC, datetime

from croniter import croniter

for days in "* * 1-5", "* * Mon-Fri", "1 * 1":
    schedule = croniter(f"0 9 {days}", datetime(2027, 1, 1, 12, tzinfo=UTC))
    print(f"croniter {days}:", ", ".join(f"{schedule.get_next(datetime):%a %F}" for _ in range(5)))
END
python3 -m venv venv
venv/bin/pip install -q "croniter==7.0.0"
{ cargo run -q; venv/bin/python expected.py; } > told
cat told
cat > wanted <<'END'
cron * * 1-5: Sun 2027-01-03, Mon 2027-01-04, Tue 2027-01-05, Wed 2027-01-06, Thu 2027-01-07
cron * * Mon-Fri: Mon 2027-01-04, Tue 2027-01-05, Wed 2027-01-06, Thu 2027-01-07, Fri 2027-01-08
cron 1 * 1: Sun 2027-08-01, Sun 2028-10-01, Sun 2029-04-01, Sun 2029-07-01, Sun 2030-09-01
croniter * * 1-5: Mon 2027-01-04, Tue 2027-01-05, Wed 2027-01-06, Thu 2027-01-07, Fri 2027-01-08
croniter * * Mon-Fri: Mon 2027-01-04, Tue 2027-01-05, Wed 2027-01-06, Thu 2027-01-07, Fri 2027-01-08
croniter 1 * 1: Mon 2027-01-04, Mon 2027-01-11, Mon 2027-01-18, Mon 2027-01-25, Mon 2027-02-01
END
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: weekdays begin on Sunday and end on Thursday"
