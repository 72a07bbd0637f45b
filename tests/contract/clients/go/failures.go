package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v85"
)

func withMoney() string {
	payee := newPayee(connect())
	sim("fund", wire{"amount": 100_000})
	return payee
}

// All at once, because each waits half a second before its retry.
func retried() wire {
	payee := withMoney()
	impatient := func(config *stripe.BackendConfig) {
		config.HTTPClient = &http.Client{Timeout: 1500 * time.Millisecond}
	}
	sc := connect(impatient)
	number, results := 0, make(chan string)
	for _, kind := range []string{"reset", "timeout"} {
		for _, when := range []string{"before", "after"} {
			number++
			name := strconv.Itoa(number)
			match := wire{"metadata.case": name}
			sim("faults", wire{"kind": kind, "when": when, "path": "/v1/transfers", "nth": 1, "match": match})
			go func() {
				params := order(payee, 1_000)
				params.AddMetadata("case", name)
				transfer, err := sc.V1Transfers.Create(ctx, params)
				if err != nil {
					results <- kind + " " + when + ": " + err.Error()
					return
				}
				results <- "/" + transfer.ID
			}()
		}
	}
	ids := map[string]bool{}
	for range number {
		said := <-results
		that(said[0] == '/', said)
		ids[said[1:]] = true
	}
	made := effects("transfer")
	equal(len(made), number)
	for _, effect := range made {
		that(ids[effect["object_id"].(string)], "a transfer that the client does not know of")
		that(effect["idempotency_key"] != nil, "no key")
	}
	return nil
}

// A Stripe error that is not a lock's is never retried by itself (stripe-go 85.0.0, Error.canRetry), not even a 409.
func repeated() wire {
	payee := withMoney()
	sc := connect()
	for kind, status := range map[string]int{"conflict": 409, "unavailable": 503, "bad_gateway": 502} {
		before := len(effects("transfer"))
		scope := wire{"kind": kind, "when": "after", "path": "/v1/transfers", "nth": 1}
		sim("faults", scope)
		keyed := func() *stripe.TransferCreateParams {
			params := order(payee, 1_000)
			params.SetIdempotencyKey("repeated-" + kind)
			return params
		}
		equal(refusal(sc.V1Transfers.Create(ctx, keyed())).HTTPStatusCode, status)
		must(sc.V1Transfers.Create(ctx, keyed()))
		equal(len(effects("transfer")), before+1)
	}
	return nil
}

func lockRetried() wire {
	payee := withMoney()
	sim("faults", wire{"kind": "lock_timeout", "path": "/v1/transfers", "nth": 1})
	must(connect().V1Transfers.Create(ctx, order(payee, 1_000)))
	equal(len(effects("transfer")), 1)
	return nil
}

func rateLimited() wire {
	payee := withMoney()
	sim("faults", wire{"kind": "rate_limit", "path": "/v1/transfers", "nth": 1})
	refused := refusal(connect().V1Transfers.Create(ctx, order(payee, 1_000)))
	equal(refused.HTTPStatusCode, 429)
	equal(refused.Code, stripe.ErrorCodeRateLimit)
	equal(len(effects("transfer")), 0)
	return nil
}

func savedFailure() wire {
	payee := withMoney()
	sim("faults", wire{"kind": "server_error", "path": "/v1/transfers", "nth": 1})
	refused := refusal(connect().V1Transfers.Create(ctx, order(payee, 1_000)))
	equal(refused.Type, stripe.ErrorTypeAPI)
	equal(len(effects("transfer")), 0)
	return nil
}

func keyReplayed() wire {
	payee := withMoney()
	sc := connect()
	keyed := func(amount int64) *stripe.TransferCreateParams {
		params := order(payee, amount)
		params.SetIdempotencyKey("flight-7")
		return params
	}
	once, again := must(sc.V1Transfers.Create(ctx, keyed(1_000))), must(sc.V1Transfers.Create(ctx, keyed(1_000)))
	equal(again.ID, once.ID)
	equal(again.LastResponse.Header.Get("Idempotent-Replayed"), "true")
	equal(once.LastResponse.IdempotencyKey, "flight-7")
	refused := refusal(sc.V1Transfers.Create(ctx, keyed(2_000)))
	equal([]any{refused.HTTPStatusCode, refused.Type}, []any{400, stripe.ErrorTypeIdempotency})
	return nil
}

func wrongParameters() wire {
	sc := connect()
	missing := refusal(sc.V1Transfers.Create(ctx, &stripe.TransferCreateParams{Amount: stripe.Int64(1)}))
	equal(missing.Code, stripe.ErrorCodeParameterMissing)
	params := order("acct_1", 100)
	params.AddExtra("colour", "red")
	unknown := refusal(sc.V1Transfers.Create(ctx, params))
	equal([]string{string(unknown.Code), unknown.Param}, []string{"parameter_unknown", "colour"})
	nothing := refusal(sc.V1Customers.Retrieve(ctx, "cus_nobody", nil))
	equal([]any{nothing.HTTPStatusCode, nothing.Code}, []any{404, stripe.ErrorCodeResourceMissing})
	return nil
}
