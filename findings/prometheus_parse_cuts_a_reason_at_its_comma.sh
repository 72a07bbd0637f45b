#!/bin/sh
# prometheus-parse 0.2.5 (Rust): counters of refused payments, whose label "reason" is free text as the text format allows it.
# Guess: five samples with the reasons as they were written.
# Seen: four. Labels are cut at each comma, also inside of quotes: "card, expired" and "card, stolen" are both "card", two
# samples of one series. A reason with "=" has no labels at all; a sample with a brace in it is gone, without an error. Who
# sums by reason, or keeps the last sample of a series, counts wrongly.
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
prometheus-parse = "=0.2.5"
END
cat > metrics <<'END'
# TYPE refused_total counter
refused_total{reason="card, expired"} 3
refused_total{reason="card, stolen"} 5
refused_total{reason="balance = 0"} 7
refused_total{reason="unknown {code}"} 11
refused_total{reason="too late"} 13
END
cat > src/main.rs <<'END'
use prometheus_parse::Scrape;

fn main() {
    let text = std::fs::read_to_string("metrics").unwrap();
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    for sample in scrape.samples {
        println!("{:?} {:?}", sample.labels.get("reason"), sample.value);
    }
}
END
cat > wanted <<'END'
Some("card") Counter(3.0)
Some("card") Counter(5.0)
None Counter(7.0)
Some("too late") Counter(13.0)
END
cargo run -q > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: two reasons are one, one is none, and one sample is gone"
