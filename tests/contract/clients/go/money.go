package main

import (
	"io"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v85"
)

func accountOnboarded() wire {
	sc := connect()
	allowV1Accounts()
	params := express()
	params.BusinessType = stripe.String(stripe.AccountBusinessTypeIndividual)
	params.Metadata = map[string]string{"instructor": "I7"}
	params.Settings = &stripe.AccountCreateSettingsParams{
		Payouts: &stripe.AccountCreateSettingsPayoutsParams{
			Schedule: &stripe.AccountCreateSettingsPayoutsScheduleParams{Interval: stripe.String("manual")},
		},
	}
	account := must(sc.V1Accounts.Create(ctx, params))
	equal(account.Metadata["instructor"], "I7")
	equal(string(account.Settings.Payouts.Schedule.Interval), "manual")
	that(len(account.Requirements.CurrentlyDue) > 0, "nothing is due")
	link := must(sc.V1AccountLinks.Create(ctx, &stripe.AccountLinkCreateParams{
		Account:    stripe.String(account.ID),
		Type:       stripe.String("account_onboarding"),
		RefreshURL: stripe.String("https://school.example.com/again"),
		ReturnURL:  stripe.String("https://school.example.com/done"),
	}))
	once := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	done := must(once.Post(link.URL, "application/x-www-form-urlencoded", strings.NewReader("outcome=complete")))
	done.Body.Close()
	equal(done.Header.Get("Location"), "https://school.example.com/done")
	ready := must(sc.V1Accounts.GetByID(ctx, account.ID, nil))
	equal(string(ready.Capabilities.Transfers), "active")
	that(ready.PayoutsEnabled, "payouts are not enabled")
	return nil
}

func accountsPaged() wire {
	sc := connect()
	allowV1Accounts()
	var made []string
	for range 5 {
		made = append(made, must(sc.V1Accounts.Create(ctx, express())).ID)
	}
	for _, id := range made[2:] {
		that(must(sc.V1Accounts.Delete(ctx, id, nil)).Deleted, "not deleted")
	}
	var found []string
	list := &stripe.AccountListParams{}
	list.Limit = stripe.Int64(1)
	for account, err := range sc.V1Accounts.List(ctx, list).All(ctx) {
		check(err)
		found = append(found, account.ID)
	}
	equal(found, []string{made[1], made[0]})
	return nil
}

func accountOfNobody() wire {
	refused := refusal(connect().V1Accounts.GetByID(ctx, "acct_of_nobody", nil))
	equal(refused.HTTPStatusCode, 403)
	equal(string(refused.Code), "account_invalid")
	return nil
}

func recipientByV2() wire {
	sc := connect()
	_, err := sc.V2CoreAccounts.Retrieve(ctx, "acct_of_nobody", nil)
	if isLacking(err) {
		panic(absent("the simulator has no /v2/core/accounts"))
	}
	account := must(sc.V2CoreAccounts.Create(ctx, recipient()))
	sim("onboard", wire{"account": account.ID})
	sim("fund", wire{"amount": 10_000})
	transfer := must(sc.V1Transfers.Create(ctx, order(account.ID, 1_000)))
	equal(transfer.Destination.ID, account.ID)
	return nil
}

func order(payee string, amount int64) *stripe.TransferCreateParams {
	return &stripe.TransferCreateParams{
		Amount:      stripe.Int64(amount),
		Currency:    stripe.String(stripe.CurrencyUSD),
		Destination: stripe.String(payee),
	}
}

func transferReversed() wire {
	sc := connect()
	payee := newPayee(sc)
	sim("fund", wire{"amount": 50_000})
	params := order(payee, 9_000)
	params.TransferGroup = stripe.String("FLIGHT_7")
	params.Metadata = map[string]string{"hobbs_operation_id": "7"}
	transfer := must(sc.V1Transfers.Create(ctx, params))
	part := &stripe.TransferReversalCreateParams{ID: stripe.String(transfer.ID), Amount: stripe.Int64(2_000)}
	equal(must(sc.V1TransferReversals.Create(ctx, part)).Transfer.ID, transfer.ID)
	rest := &stripe.TransferReversalCreateParams{ID: stripe.String(transfer.ID)}
	equal(must(sc.V1TransferReversals.Create(ctx, rest)).Amount, int64(7_000))
	whole := must(sc.V1Transfers.Retrieve(ctx, transfer.ID, &stripe.TransferRetrieveParams{
		Expand: stripe.StringSlice([]string{"destination", "balance_transaction"}),
	}))
	that(whole.Reversed, "not reversed")
	equal(whole.Destination.Email, "amelia@example.com")
	equal(whole.BalanceTransaction.Amount, int64(-9_000))
	rows := &stripe.BalanceTransactionListParams{}
	rows.SetStripeAccount(payee)
	var nets []int64
	for row, err := range sc.V1BalanceTransactions.List(ctx, rows).All(ctx) {
		check(err)
		nets = append(nets, row.Net)
	}
	equal(nets, []int64{-7_000, -2_000, 9_000})
	return nil
}

func transferRefused() wire {
	sc := connect()
	payee := newPayee(sc)
	equal(refusal(sc.V1Transfers.Create(ctx, order(payee, 900))).Code, stripe.ErrorCodeBalanceInsufficient)
	sim("fund", wire{"amount": 10_000})
	nobody := refusal(sc.V1Transfers.Create(ctx, order("acct_of_nobody", 900)))
	equal([]string{string(nobody.Type), string(nobody.Code), nobody.Param},
		[]string{"invalid_request_error", "resource_missing", "destination"})
	return nil
}

func payouts() wire {
	sc := connect()
	payee := newPayee(sc)
	sim("fund", wire{"amount": 40_000, "account": payee})
	as := stripe.Params{StripeAccount: stripe.String(payee)}
	standard := must(sc.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{
		Params: as, Amount: stripe.Int64(10_000), Currency: stripe.String("usd"),
	}))
	instant := must(sc.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{
		Params: as, Amount: stripe.Int64(5_000), Currency: stripe.String("usd"), Method: stripe.String("instant"),
	}))
	equal(instant.Method, stripe.PayoutMethodInstant)
	balance := must(sc.V1Balance.Retrieve(ctx, &stripe.BalanceRetrieveParams{Params: as}))
	that(balance.Available[0].Amount < 25_000, "an instant payout has its fee on top")
	sim("clock", wire{"advance_s": 4 * 86_400})
	paid := must(sc.V1Payouts.Retrieve(ctx, standard.ID, &stripe.PayoutRetrieveParams{Params: as}))
	equal(paid.Status, stripe.PayoutStatusPaid)
	return nil
}

func rowsPaged() wire {
	sc := connect()
	payee := newPayee(sc)
	sim("fund", wire{"amount": 100_000})
	var made []string
	for number := range 7 {
		made = append(made, must(sc.V1Transfers.Create(ctx, order(payee, int64(number+1)*100))).BalanceTransaction.ID)
	}
	read := func(change func(*stripe.BalanceTransactionListParams)) (found []string) {
		params := &stripe.BalanceTransactionListParams{Type: stripe.String("transfer")}
		params.Limit = stripe.Int64(3)
		params.CreatedRange = &stripe.RangeQueryParams{GreaterThan: 1}
		change(params)
		for row, err := range sc.V1BalanceTransactions.List(ctx, params).All(ctx) {
			check(err)
			found = append(found, row.ID)
		}
		return found
	}
	onwards := read(func(params *stripe.BalanceTransactionListParams) { params.EndingBefore = stripe.String(made[0]) })
	equal(onwards, made[1:])
	newestFirst := read(func(*stripe.BalanceTransactionListParams) {})
	for index, id := range newestFirst {
		equal(id, made[len(made)-1-index])
	}
	equal(len(newestFirst), len(made))
	return nil
}

func contextActs() wire {
	sc := connect()
	payee := newPayee(sc)
	sim("fund", wire{"amount": 10_000, "account": payee})
	own := connect(func(config *stripe.BackendConfig) { config.StripeContext = stripe.String(payee) })
	equal(must(own.V1Balance.Retrieve(ctx, nil)).Available[0].Amount, int64(10_000))
	return nil
}

func rawRequest() wire {
	payee := newPayee(connect())
	sim("fund", wire{"amount": 10_000, "account": payee})
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{URL: stripe.String(simURL)})
	raw := backend.(stripe.RawRequestBackend)
	params := &stripe.RawParams{}
	params.SetStripeAccount(payee)
	answer := must(raw.RawRequest(http.MethodGet, "/v1/balance", simKey, "", params))
	that(strings.Contains(string(answer.RawJSON), "10000"), "not the account's balance")
	made := must(raw.RawRequest(http.MethodPost, "/v1/customers", simKey, "name=Amelia&metadata[a]=b", nil))
	that(strings.Contains(string(made.RawJSON), "Amelia"), "no customer was made")
	return nil
}

func drained(body io.ReadCloser) string {
	defer body.Close()
	return string(must(io.ReadAll(body)))
}

// The parameters of an account of API v2 that is paid by transfers.
func recipient() *stripe.V2CoreAccountCreateParams {
	requested := &stripe.V2CoreAccountCreateConfigurationRecipientCapabilitiesStripeBalanceStripeTransfersParams{
		Requested: stripe.Bool(true),
	}
	return &stripe.V2CoreAccountCreateParams{
		ContactEmail: stripe.String("amelia@example.com"),
		Dashboard:    stripe.String("express"),
		Identity:     &stripe.V2CoreAccountCreateIdentityParams{Country: stripe.String("us")},
		Configuration: &stripe.V2CoreAccountCreateConfigurationParams{
			Merchant: &stripe.V2CoreAccountCreateConfigurationMerchantParams{
				Capabilities: &stripe.V2CoreAccountCreateConfigurationMerchantCapabilitiesParams{
					CardPayments: &stripe.V2CoreAccountCreateConfigurationMerchantCapabilitiesCardPaymentsParams{
						Requested: stripe.Bool(true),
					},
				},
			},
			Recipient: &stripe.V2CoreAccountCreateConfigurationRecipientParams{
				Capabilities: &stripe.V2CoreAccountCreateConfigurationRecipientCapabilitiesParams{
					StripeBalance: &stripe.V2CoreAccountCreateConfigurationRecipientCapabilitiesStripeBalanceParams{
						StripeTransfers: requested,
					},
				},
			},
		},
		Defaults: &stripe.V2CoreAccountCreateDefaultsParams{
			Responsibilities: &stripe.V2CoreAccountCreateDefaultsResponsibilitiesParams{
				FeesCollector: stripe.String("application"), LossesCollector: stripe.String("application"),
			},
		},
		Include: stripe.StringSlice([]string{"configuration.recipient"}),
	}
}
