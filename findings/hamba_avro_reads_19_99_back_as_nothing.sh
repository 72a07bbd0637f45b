#!/bin/sh
# hamba/avro v2.31.0 (Go): amounts in a field of the logical type decimal, precision 9, scale 2, once kept as big.Rat and
# once as *big.Rat, written and read again.
# Guess: both come back as written, or one of the types is refused; what is finer than the scale is refused, or rounded
# alike for a charge and its refund.
# Seen: big.Rat is written rightly and read back as 0, without an error: 19.99 is nothing. *big.Rat comes back.
# What is finer is floored: 2/3 is 0.66 and -2/3 is -0.67, so a charge and its refund, each computed, leave a cent.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.23

require github.com/hamba/avro/v2 v2.31.0
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"math/big"

	"github.com/hamba/avro/v2"
)

type byValue struct {
	Amount big.Rat `avro:"amount"`
}

type byPointer struct {
	Amount *big.Rat `avro:"amount"`
}

func main() {
	schema := avro.MustParse(`{"type": "record", "name": "payment", "fields": [{"name": "amount",
		"type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}]}`)
	for _, amount := range []*big.Rat{big.NewRat(1999, 100), big.NewRat(2, 3), big.NewRat(-2, 3)} {
		var value byValue
		var pointer byPointer
		written, failed := avro.Marshal(schema, byValue{*amount})
		same, failedToo := avro.Marshal(schema, byPointer{amount})
		fmt.Println(amount, "written as", written, same, failed, failedToo)
		failed = avro.Unmarshal(schema, written, &value)
		failedToo = avro.Unmarshal(schema, written, &pointer)
		fmt.Println("read as", value.Amount.FloatString(2), pointer.Amount.FloatString(2), failed, failedToo)
	}
}
END
cat > wanted <<'END'
1999/100 written as [4 7 207] [4 7 207] <nil> <nil>
read as 0.00 19.99 <nil> <nil>
2/3 written as [2 66] [2 66] <nil> <nil>
read as 0.00 0.66 <nil> <nil>
-2/3 written as [2 189] [2 189] <nil> <nil>
read as 0.00 -0.67 <nil> <nil>
END
export GOFLAGS=-mod=mod
go run . > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a big.Rat is read back as nothing"
