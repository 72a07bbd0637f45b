package main

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stripe/stripe-go/v85"
)

// What this client puts on the wire for the same orders as every other; ../habits.json has the comparison.
func habits() wire {
	var bodies [][]string
	var keys, telemetry []any
	var first http.Header
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		bodies = append(bodies, []string{request.Method, request.RequestURI, drained(request.Body)})
		keys = append(keys, orNil(request.Header.Get("Idempotency-Key")))
		telemetry = append(telemetry, request.Header.Get("X-Stripe-Client-Telemetry") != "")
		if first == nil {
			first = request.Header
		}
		answer.Header().Set("Request-Id", "req_canned")
		answer.Write([]byte(`{"id": "cus_1", "object": "customer"}`))
	}))
	defer server.Close()
	sc := connectTo(server.URL)
	must(sc.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		PreferredLocales: stripe.StringSlice([]string{"en", "de"}),
		Address:          &stripe.AddressParams{City: stripe.String("Wichita"), Line2: stripe.String("")},
		Metadata:         map[string]string{"flight": "F 1/2", "key[with]brackets": "ä&="},
		Expand:           stripe.StringSlice([]string{"tax", "sources"}),
		Name:             stripe.String("A~B*C'D"),
	}))
	must(sc.V1Customers.Update(ctx, "cus_1", &stripe.CustomerUpdateParams{Metadata: map[string]string{"flight": ""}}))
	must(sc.V1Customers.Update(ctx, "cus_1", &stripe.CustomerUpdateParams{PreferredLocales: []*string{}}))
	list := &stripe.CustomerListParams{Expand: stripe.StringSlice([]string{"data.sources"})}
	list.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: 1_700_000_000}
	list.Limit = stripe.Int64(3)
	check(sc.V1Customers.List(ctx, list).Err())
	transfers := &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)}
	must(sc.V1Accounts.Create(ctx, &stripe.AccountCreateParams{
		Capabilities: &stripe.AccountCreateCapabilitiesParams{Transfers: transfers},
	}))
	must(sc.V1Customers.Delete(ctx, "cus_1", nil))
	named := func(name string) any { return orNil(first.Get(name)) }
	return wire{
		"bodies":    bodies,
		"keys":      keys,
		"telemetry": telemetry,
		"headers": wire{
			"accept-encoding": named("Accept-Encoding"),
			"authorization":   strings.Split(first.Get("Authorization"), " ")[0],
			"connection":      named("Connection"),
			"content-type":    named("Content-Type"),
			"stripe-version":  named("Stripe-Version"),
			"user-agent":      named("User-Agent"),
		},
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
