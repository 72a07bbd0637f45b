#!/bin/sh
# goavro v2.15.0 and hamba/avro v2.31.0 (Go), beside twmb/avro v1.9.1: 1.3 hours at 99.99, 129.987, and its reversal as
# big.Rat, the type that each takes for the logical type decimal, written with precision 6 and scale 2 and read again.
# Guess: an error, since the schema has no room for a third decimal, or rounding to 129.99 and -129.99.
# Seen: goavro and hamba write 129.98 and -129.99: what does not fit is cut off downwards, without an error: a charge
# and its reversal leave a cent, and a reversal of a tenth of a cent is one of a cent. goavro also writes 1234567.00,
# nine digits, where the schema says six. twmb refuses each.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.26

require (
	github.com/hamba/avro/v2 v2.31.0
	github.com/linkedin/goavro/v2 v2.15.0
	github.com/twmb/avro v1.9.1
)
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"math/big"

	hamba "github.com/hamba/avro/v2"
	"github.com/linkedin/goavro/v2"
	twmb "github.com/twmb/avro"
)

const schema = `{"type": "record", "name": "Charge", "fields": [{"name": "amount",
	"type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}}]}`

func main() {
	first, err := goavro.NewCodec(schema)
	check(err)
	second := hamba.MustParse(schema)
	third, err := twmb.Parse(schema)
	check(err)
	for _, amount := range []string{"129.987", "-129.987", "-0.001", "1234567"} {
		exact, _ := new(big.Rat).SetString(amount)
		charge := map[string]any{"amount": exact}
		written, err := first.BinaryFromNative(nil, charge)
		tell("goavro", amount, err, func(back *map[string]any) error {
			read, _, err := first.NativeFromBinary(written)
			*back = read.(map[string]any)
			return err
		})
		written, err = hamba.Marshal(second, charge)
		tell("hamba", amount, err, func(back *map[string]any) error { return hamba.Unmarshal(second, written, back) })
		written, err = third.AppendEncode(nil, charge)
		tell("twmb", amount, err, func(back *map[string]any) error {
			_, err := third.Decode(written, back)
			return err
		})
	}
}

func tell(library, amount string, refused error, read func(*map[string]any) error) {
	if refused != nil {
		fmt.Println(library, amount, "refused")
		return
	}
	back := map[string]any{}
	check(read(&back))
	fmt.Println(library, amount, "is", back["amount"].(*big.Rat).FloatString(3))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
END
cat > wanted <<'END'
goavro 129.987 is 129.980
hamba 129.987 is 129.980
twmb 129.987 refused
goavro -129.987 is -129.990
hamba -129.987 is -129.990
twmb -129.987 refused
goavro -0.001 is -0.010
hamba -0.001 is -0.010
twmb -0.001 refused
goavro 1234567 is 1234567.000
hamba 1234567 refused
twmb 1234567 refused
END
export GOFLAGS=-mod=mod
go run . > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a charge and its reversal leave a cent in two of three"
