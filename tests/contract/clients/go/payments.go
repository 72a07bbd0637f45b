package main

import "github.com/stripe/stripe-go/v85"

func payment(card string) *stripe.PaymentIntentCreateParams {
	return &stripe.PaymentIntentCreateParams{
		Amount:        stripe.Int64(5_000),
		Currency:      stripe.String("usd"),
		PaymentMethod: stripe.String(card),
		Confirm:       stripe.Bool(true),
		AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{
			Enabled: stripe.Bool(true), AllowRedirects: stripe.String("never"),
		},
	}
}

func cardPays() wire {
	sc := connect()
	params := payment("pm_card_visa")
	params.AddExpand("latest_charge.payment_intent")
	params.AddMetadata("flight", "F1")
	intent := must(sc.V1PaymentIntents.Create(ctx, params))
	equal(intent.Status, stripe.PaymentIntentStatusSucceeded)
	equal(intent.LatestCharge.PaymentIntent.Metadata["flight"], "F1")
	sim("clock", wire{"advance_s": 60})
	charge := must(sc.V1Charges.Retrieve(ctx, intent.LatestCharge.ID, &stripe.ChargeRetrieveParams{
		Expand: stripe.StringSlice([]string{"balance_transaction"}),
	}))
	equal(charge.BalanceTransaction.Fee, int64(175))
	return nil
}

func cardDeclined() wire {
	refused := refusal(connect().V1PaymentIntents.Create(ctx, payment("pm_card_chargeDeclinedInsufficientFunds")))
	equal(refused.HTTPStatusCode, 402)
	equal(refused.Type, stripe.ErrorTypeCard)
	equal(refused.Code, stripe.ErrorCodeCardDeclined)
	equal(refused.DeclineCode, stripe.DeclineCodeInsufficientFunds)
	equal(refused.PaymentIntent.Status, stripe.PaymentIntentStatusRequiresPaymentMethod)
	that(refused.ChargeID != "" && refused.RequestID != "", "no charge or no request")
	return nil
}

func customerKept() wire {
	sc := connect()
	customer := must(sc.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Name:             stripe.String("Amelia"),
		Address:          &stripe.AddressParams{City: stripe.String("Atchison"), Country: stripe.String("US")},
		Metadata:         map[string]string{"a": "1", "b": "2"},
		PreferredLocales: stripe.StringSlice([]string{"en", "de"}),
	}))
	equal(customer.Address.City, "Atchison")
	equal(customer.PreferredLocales, []string{"en", "de"})
	changed := must(sc.V1Customers.Update(ctx, customer.ID, &stripe.CustomerUpdateParams{
		Metadata:         map[string]string{"b": "", "c": "3"},
		PreferredLocales: []*string{},
		Phone:            stripe.String("+15550100"),
	}))
	equal(changed.Metadata, map[string]string{"a": "1", "c": "3"})
	equal(len(changed.PreferredLocales), 0)
	emptied := &stripe.CustomerUpdateParams{}
	emptied.AddUnsetField(stripe.CustomerUpdateParamsUnsetFieldMetadata)
	equal(len(must(sc.V1Customers.Update(ctx, customer.ID, emptied)).Metadata), 0)
	that(must(sc.V1Customers.Delete(ctx, customer.ID, nil)).Deleted, "not deleted")
	return nil
}

func refunds() wire {
	sc := connect()
	sim("fund", wire{"amount": 50_000})
	intent := must(sc.V1PaymentIntents.Create(ctx, payment("pm_card_visa")))
	part := &stripe.RefundCreateParams{PaymentIntent: stripe.String(intent.ID), Amount: stripe.Int64(2_000)}
	equal(must(sc.V1Refunds.Create(ctx, part)).Status, stripe.RefundStatusSucceeded)
	rest := func() *stripe.RefundCreateParams {
		return &stripe.RefundCreateParams{PaymentIntent: stripe.String(intent.ID)}
	}
	equal(must(sc.V1Refunds.Create(ctx, rest())).Amount, int64(3_000))
	equal(refusal(sc.V1Refunds.Create(ctx, rest())).Code, stripe.ErrorCodeChargeAlreadyRefunded)
	return nil
}
