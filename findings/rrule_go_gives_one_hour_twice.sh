#!/bin/sh
# rrule-go v1.8.2 (Go): hourly readings of a meter in Berlin, FREQ=HOURLY from 0:30, in the night of 29 March
# 2026, when clocks go from 2:00 to 3:00, and in that of 25 October, when they go back from 3:00 to 2:00.
# Guess: COUNT=5 gives five moments, an hour apart.
# Seen: in March 3:30 comes twice, once for 2:30, which is not there; a Set of this rule drops the second and has four. In
# October the first 2:30 is missing, so that two hours lie between two readings, and the fifth comes an hour late.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.23

require github.com/teambition/rrule-go v1.8.2
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/teambition/rrule-go"
)

func main() {
	for _, start := range []string{"20260329T003000", "20261025T003000"} {
		text := "DTSTART;TZID=Europe/Berlin:" + start + "\nRRULE:FREQ=HOURLY;COUNT=5"
		rule, failed := rrule.StrToRRule(text)
		set, failedToo := rrule.StrToRRuleSet(text)
		if failed != nil || failedToo != nil {
			panic(text)
		}
		for _, moments := range [][]time.Time{rule.All(), set.All()} {
			for _, at := range moments {
				fmt.Print(at.Format("15:04 MST, "))
			}
			fmt.Println(len(moments))
		}
	}
}
END
cat > wanted <<'END'
00:30 CET, 01:30 CET, 03:30 CEST, 03:30 CEST, 04:30 CEST, 5
00:30 CET, 01:30 CET, 03:30 CEST, 04:30 CEST, 4
00:30 CEST, 01:30 CEST, 02:30 CET, 03:30 CET, 04:30 CET, 5
00:30 CEST, 01:30 CEST, 02:30 CET, 03:30 CET, 04:30 CET, 5
END
export GOFLAGS=-mod=mod
go run . > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an hour comes twice in March and is missing in October"
