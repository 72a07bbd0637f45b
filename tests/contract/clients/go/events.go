package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/stripe/stripe-go/v85"
)

type arrival struct {
	header http.Header
	body   []byte
}

func eventVerified() wire {
	arrivals := make(chan arrival, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		arrivals <- arrival{request.Header, []byte(drained(request.Body))}
	}))
	defer server.Close()
	sc := connect()
	made := must(sc.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{
		URL:           stripe.String(server.URL),
		EnabledEvents: stripe.StringSlice([]string{"customer.created"}),
		APIVersion:    stripe.String(stripe.APIVersion),
	}))
	must(sc.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Name: stripe.String("Amélia")}))
	came := <-arrivals
	signature := came.header.Get("Stripe-Signature")
	// The simulator writes events in its library's version, whatever an endpoint was made with.
	whatever := stripe.WithIgnoreAPIVersionMismatch()
	event := must(sc.ConstructEvent(came.body, signature, made.Secret, whatever))
	equal(string(event.Type), "customer.created")
	equal(event.GetObjectValue("name"), "Amélia")
	refuse := func(body []byte, secret string) {
		_, err := sc.ConstructEvent(body, signature, secret, whatever)
		equal(err, stripe.ErrWebhookNoValidSignature)
	}
	refuse(bytes.Replace(came.body, []byte("Am"), []byte("Em"), 1), made.Secret)
	refuse(came.body, "whsec_other")
	sim("resend", wire{"event": event.ID, "variant": "stale"})
	stale := <-arrivals
	_, err := sc.ConstructEvent(stale.body, stale.header.Get("Stripe-Signature"), made.Secret, whatever)
	equal(err, stripe.ErrWebhookTooOld)
	return nil
}

func eventsListed() wire {
	sc := connect()
	for _, name := range []string{"A", "B", "C"} {
		must(sc.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Name: stripe.String(name)}))
	}
	params := &stripe.EventListParams{Types: stripe.StringSlice([]string{"customer.created"})}
	params.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: time.Now().Add(-time.Minute).Unix()}
	params.Limit = stripe.Int64(2)
	var names []string
	for event, err := range sc.V1Events.List(ctx, params).All(ctx) {
		check(err)
		names = append(names, event.GetObjectValue("name"))
	}
	equal(names, []string{"C", "B", "A"})
	return nil
}

func thinEventParsed() wire {
	arrivals := make(chan arrival, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		arrivals <- arrival{request.Header, []byte(drained(request.Body))}
	}))
	defer server.Close()
	sc := connect()
	destination, err := sc.V2CoreEventDestinations.Create(ctx, &stripe.V2CoreEventDestinationCreateParams{
		Name:            stripe.String("the school"),
		Type:            stripe.String("webhook_endpoint"),
		EventPayload:    stripe.String("thin"),
		EnabledEvents:   stripe.StringSlice([]string{"v2.core.account[identity].updated"}),
		EventsFrom:      stripe.StringSlice([]string{"@accounts"}),
		Include:         stripe.StringSlice([]string{"webhook_endpoint.signing_secret"}),
		WebhookEndpoint: &stripe.V2CoreEventDestinationCreateWebhookEndpointParams{URL: stripe.String(server.URL)},
	})
	if isLacking(err) {
		panic(absent("the simulator has no event destinations"))
	}
	check(err)
	account := must(sc.V2CoreAccounts.Create(ctx, recipient()))
	sim("onboard", wire{"account": account.ID})
	came := <-arrivals
	secret, signature := destination.WebhookEndpoint.SigningSecret, came.header.Get("Stripe-Signature")
	container := must(sc.ParseEventNotification(came.body, signature, secret))
	equal(container.GetEventNotification().Type, "v2.core.account[identity].updated")
	known := container.(*stripe.V2CoreAccountIncludingIdentityUpdatedEventNotification)
	equal(must(known.FetchRelatedObject(ctx)).ID, account.ID)
	equal(must(known.FetchEvent(ctx)).ID, known.ID)
	_, err = sc.ParseEventNotification(came.body, signature, "whsec_other")
	equal(err, stripe.ErrWebhookNoValidSignature)
	return nil
}
