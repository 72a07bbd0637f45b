// Flows of the official stripe-go against the simulator; one JSON line each: {flow, passed, said, ms}.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
)

const flowTimeMax = 30 * time.Second

var (
	simURL = os.Getenv("HOBBS_SIM_URL")
	simKey = os.Getenv("HOBBS_SIM_KEY")
	ctx    = context.Background()
)

type absent string

type wire map[string]any

// The flows, each with its name as a rule; main.go lists them.
type flow struct {
	name string
	run  func() wire
}

func perform(one flow) {
	began := time.Now()
	line := wire{"flow": one.name}
	done := make(chan wire, 1)
	go func() { done <- outcome(one) }()
	select {
	case said := <-done:
		for name, value := range said {
			line[name] = value
		}
	case <-time.After(flowTimeMax):
		line["passed"], line["said"] = false, fmt.Sprintf("not done after %s", flowTimeMax)
	}
	line["ms"] = time.Since(began).Milliseconds()
	printed, _ := json.Marshal(line)
	fmt.Println(string(printed))
}

func outcome(one flow) (said wire) {
	defer func() {
		switch why := recover().(type) {
		case nil:
		case absent:
			said = wire{"absent": string(why)}
		default:
			said = wire{"passed": false, "said": fmt.Sprint(why)}
		}
	}()
	sim("reset", wire{})
	said = wire{"passed": true}
	if recorded := one.run(); recorded != nil {
		said["wire"] = recorded
	}
	return said
}

// A client as the README makes it, but for the address. Its two retries are the default.
func connect(changes ...func(*stripe.BackendConfig)) *stripe.Client {
	return connectTo(simURL, changes...)
}

func connectTo(url string, changes ...func(*stripe.BackendConfig)) *stripe.Client {
	config := &stripe.BackendConfig{
		URL:           stripe.String(url),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
	for _, change := range changes {
		change(config)
	}
	return stripe.NewClient(simKey, stripe.WithBackends(stripe.NewBackendsWithConfig(config)))
}

// The simulator's own API, which Stripe does not have (/_sim/, hobbs/local/stripe_sim/README.md).
func sim(path string, given wire) wire {
	body, _ := json.Marshal(given)
	method := http.MethodPost
	if given == nil {
		method, body = http.MethodGet, nil
	}
	request, _ := http.NewRequest(method, simURL+"/_sim/"+path, bytes.NewReader(body))
	answer := must(http.DefaultClient.Do(request))
	defer answer.Body.Close()
	said := must(io.ReadAll(answer.Body))
	if answer.StatusCode >= 400 {
		panic(fmt.Sprintf("/_sim/%s: %s", path, said))
	}
	var doc wire
	check(json.Unmarshal(said, &doc))
	return doc
}

func effects(kind string) []wire {
	var found []wire
	raw, _ := json.Marshal(sim("effects?kind="+kind, nil)["effects"])
	check(json.Unmarshal(raw, &found))
	return found
}

// A platform that has v1 accounts, where the simulator can refuse them.
func allowV1Accounts() {
	if _, has := sim("settings", nil)["v1_accounts"]; has {
		sim("settings", wire{"v1_accounts": true})
	}
}

func newPayee(sc *stripe.Client) string {
	allowV1Accounts()
	account := must(sc.V1Accounts.Create(ctx, express()))
	sim("onboard", wire{"account": account.ID})
	return account.ID
}

// The parameters of an account that a platform without Stripe's approval for transfers alone may ask for.
func express() *stripe.AccountCreateParams {
	return &stripe.AccountCreateParams{
		Type:    stripe.String(stripe.AccountTypeExpress),
		Country: stripe.String("US"),
		Email:   stripe.String("amelia@example.com"),
		Capabilities: &stripe.AccountCreateCapabilitiesParams{
			CardPayments: &stripe.AccountCreateCapabilitiesCardPaymentsParams{Requested: stripe.Bool(true)},
			Transfers:    &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)},
		},
	}
}

func check(err error) {
	if err != nil {
		panic(err.Error())
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func equal(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		panic(fmt.Sprintf("found %v, wanted %v", found, wanted))
	}
}

func that(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

// The Stripe error of an answer that must be one.
func refusal[T any](_ T, err error) *stripe.Error {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		panic(fmt.Sprintf("an error of Stripe's expected, found %v", err))
	}
	return refused
}

// Whether the simulator lacks what was asked for, which Stripe has.
func isLacking(err error) bool {
	if err == nil {
		return false
	}
	said := err.Error()
	return strings.Contains(said, "Unrecognized request URL") || strings.Contains(said, "does not simulate")
}
