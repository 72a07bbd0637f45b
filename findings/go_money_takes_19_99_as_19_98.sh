#!/bin/sh
# go-money v1.0.15 (Go): amounts of whole cents given as floats, and its own AsMajorUnits() given back to NewFromFloat().
# Guess: 19.99 is 1999 cents, since a cent is the least it keeps; what AsMajorUnits() says comes back as it was.
# Seen: 19.99 is 1998, 1.15 is 114 and -0.29 is -28: the product with 100 is cut off, which the comment on the function
# calls rounding trailing decimals down. Of the amounts from 0.01 to 100.00, 573 lose a cent on the way there and back.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.23

require github.com/Rhymond/go-money v1.0.15
END
cat > main.go <<'END'
package main

import (
	"fmt"

	"github.com/Rhymond/go-money"
)

func main() {
	for _, amount := range []float64{19.99, 1.15, -0.29, 129.90} {
		fmt.Println(amount, money.NewFromFloat(amount, money.EUR).Amount())
	}
	lost := 0
	for cents := int64(1); cents <= 10000; cents++ {
		there := money.New(cents, money.EUR).AsMajorUnits()
		lost += int(cents - money.NewFromFloat(there, money.EUR).Amount())
	}
	fmt.Println("cents lost in 10000 amounts:", lost)
}
END
cat > wanted <<'END'
19.99 1998
1.15 114
-0.29 -28
129.9 12990
cents lost in 10000 amounts: 573
END
export GOFLAGS=-mod=mod
go run . > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a float of whole cents loses a cent"
