#!/bin/sh
# stripe-go v85.0.0: which refusals it repeats by itself. A server of our own answers as Stripe documents it.
# Guess (its README: "on certain API responses like a status 409 Conflict"; its source reads Stripe-Should-Retry):
# a 409 and a 503 are tried three times, and the header Stripe-Should-Retry decides where it is sent.
# Seen: an answer with Stripe's JSON is tried once, be it 409 or 503, also with Stripe-Should-Retry: true. The error
# object decides before status and header are looked at, and says yes for the code lock_timeout alone, even with
# Stripe-Should-Retry: false. An answer that is no JSON is tried three times, even with Stripe-Should-Retry: false.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > go.mod <<'END'
module finding

go 1.23

require github.com/stripe/stripe-go/v85 v85.0.0
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/stripe/stripe-go/v85"
)

func try(status int, header, body string) int {
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count++
		if header != "" {
			w.Header().Set("Stripe-Should-Retry", header)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	config := &stripe.BackendConfig{
		URL:           stripe.String(server.URL),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
	client := stripe.NewClient("sk_test_x", stripe.WithBackends(stripe.NewBackendsWithConfig(config)))
	client.V1Customers.Create(context.Background(), &stripe.CustomerCreateParams{})
	return count
}

func main() {
	inUse := `{"error": {"type": "invalid_request_error", "code": "idempotency_key_in_use", "message": "busy"}}`
	locked := `{"error": {"type": "invalid_request_error", "code": "lock_timeout", "message": "locked"}}`
	down := `{"error": {"type": "api_error", "message": "down"}}`
	fmt.Println("409 JSON:", try(409, "", inUse))
	fmt.Println("409 JSON, should retry:", try(409, "true", inUse))
	fmt.Println("503 JSON, should retry:", try(503, "true", down))
	fmt.Println("429 lock_timeout, should not:", try(429, "false", locked))
	fmt.Println("500 HTML, should not:", try(500, "false", "<html>"))
}
END
cat > wanted <<'END'
409 JSON: 1
409 JSON, should retry: 1
503 JSON, should retry: 1
429 lock_timeout, should not: 3
500 HTML, should not: 3
END
export GOFLAGS=-mod=mod
go run . > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: requests counted; the README's 409 is not retried, and the header decides nothing"
