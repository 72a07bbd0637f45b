#!/bin/sh
# parse-prometheus-text-format 1.1.1 (npm): the metrics of a service with one histogram, duration of payouts, in two series
# as the label "bank" tells them apart; and a summary of one series.
# Guess: two histograms with their labels, buckets, sums and counts, as it gives counters one by one with their labels.
# Seen: one without any label, whose buckets are those of the last series; the first series is gone, and so is every
# _sum and _count. Counters and gauges are whole. A check that the slowest bank is fast looks at one of them.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "parse-prometheus-text-format@1.1.1"
cat > metrics <<'END'
# TYPE payout_seconds histogram
payout_seconds_bucket{bank="slow",le="1"} 0
payout_seconds_bucket{bank="slow",le="+Inf"} 40
payout_seconds_sum{bank="slow"} 9000
payout_seconds_count{bank="slow"} 40
payout_seconds_bucket{bank="fast",le="1"} 3
payout_seconds_bucket{bank="fast",le="+Inf"} 3
payout_seconds_sum{bank="fast"} 0.6
payout_seconds_count{bank="fast"} 3
# TYPE letter_seconds summary
letter_seconds{kind="bill",quantile="0.5"} 0.2
letter_seconds_sum{kind="bill"} 8
letter_seconds_count{kind="bill"} 40
# TYPE payouts_total counter
payouts_total{bank="slow"} 40
payouts_total{bank="fast"} 3
END
cat > read.js <<'END'
const parse = require("parse-prometheus-text-format");
const text = require("fs").readFileSync("metrics", "utf8");
for (const { name, metrics } of parse(text)) console.log(name, JSON.stringify(metrics));
END
cat > wanted <<'END'
payout_seconds [{"buckets":{"1":"3","+Inf":"3"}}]
letter_seconds [{"quantiles":{"0.5":"0.2"}}]
payouts_total [{"value":"40","labels":{"bank":"slow"}},{"value":"3","labels":{"bank":"fast"}}]
END
node read.js > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: of two series of a histogram the first is gone"
